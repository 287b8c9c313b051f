//! The frame around an image in a file: what it is, in which format, who wrote it, and a checksum that finds damage.

use thiserror::Error;

/// Magic, format, version (16 bytes), checksum.
const LENGTH: usize = 8 + 4 + 16 + 8;

/// What a kind of file begins with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) magic: [u8; 8],
    pub(crate) format: u32,
}

/// Why a frame does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameError {
    /// It is something else.
    #[error("this is another kind of file")]
    Other,
    /// Another version wrote it.
    #[error("another version ({found}) wrote it and only that one can read it; this is {ours}")]
    OtherVersion {
        /// Who wrote it.
        found: String,
        /// Who reads it.
        ours: &'static str,
    },
    /// Its bytes changed.
    #[error("it is damaged: its checksum does not agree")]
    Damaged,
}

impl Frame {
    /// The bytes of a file around `body`.
    pub(crate) fn write(self, body: &[u8], version: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(LENGTH + body.len());
        out.extend_from_slice(&self.magic);
        out.extend_from_slice(&self.format.to_le_bytes());
        out.extend_from_slice(&padded(version));
        out.extend_from_slice(&checksum(body).to_le_bytes());
        out.extend_from_slice(body);
        out
    }

    /// The body within the bytes of a file.
    pub(crate) fn read<'a>(self, bytes: &'a [u8], version: &'static str) -> Result<&'a [u8], FrameError> {
        if bytes.len() < LENGTH || !bytes.starts_with(&self.magic) {
            return Err(FrameError::Other);
        }
        let (frame, body) = bytes.split_at(LENGTH);
        if frame[8..12] != self.format.to_le_bytes() || frame[12..28] != padded(version) {
            let format = u32::from_le_bytes(frame[8..12].try_into().expect("four bytes"));
            let name = String::from_utf8_lossy(&frame[12..28]).trim_end_matches('\0').to_owned();
            let found = if format == self.format { name } else { format!("{name} with format {format}") };
            return Err(FrameError::OtherVersion { found, ours: version });
        }
        if frame[28..36] != checksum(body).to_le_bytes() {
            return Err(FrameError::Damaged);
        }
        Ok(body)
    }
}

fn padded(version: &str) -> [u8; 16] {
    let mut name = [0; 16];
    name.iter_mut().zip(version.bytes()).for_each(|(slot, byte)| *slot = byte);
    name
}

/// FNV-1a over 64 bits (RFC 9923): finds damage by accident, not by intent.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    checksum_on(0xcbf2_9ce4_8422_2325, bytes)
}

pub(crate) fn checksum_on(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_gives_its_body_and_nothing_else() {
        let frame = Frame { magic: *b"GIGATEST", format: 3 };
        let bytes = frame.write(b"body", "0.1.0");
        assert_eq!(frame.read(&bytes, "0.1.0"), Ok(b"body".as_slice()));
        assert_eq!(frame.read(b"GIGATEST", "0.1.0"), Err(FrameError::Other));
        let other = |found: &str, ours| Err(FrameError::OtherVersion { found: found.to_owned(), ours });
        assert_eq!(frame.read(&bytes, "0.2.0"), other("0.1.0", "0.2.0"));
        let later = Frame { format: 4, ..frame };
        assert_eq!(later.read(&bytes, "0.1.0"), other("0.1.0 with format 3", "0.1.0"));
        for place in LENGTH..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert_eq!(frame.read(&damaged, "0.1.0"), Err(FrameError::Damaged));
        }
    }
}
