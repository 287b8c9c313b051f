//! The image of a value: canonical bytes that hold all of it.
//!
//! A state is saved, compared and forked by its image. Each type lists its fields once, and both directions follow from
//! that list. An image is tied to the version that wrote it; the frame around it (magic, version, checksum) belongs to
//! `giga-formats`. Integers are little-endian and fixed in width, lists begin with their length.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use thiserror::Error;

/// A value with canonical bytes.
pub trait Image: Sized {
    /// Appends the bytes.
    fn write(&self, out: &mut Vec<u8>);
    /// Reads the value back.
    ///
    /// # Errors
    /// Fails where the bytes are not an image of such a value.
    fn read(source: &mut Source<'_>) -> Result<Self, ImageError>;
}

/// Why bytes are not an image.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImageError {
    /// They end too early.
    #[error("the image ends after {length} bytes in the middle of a value")]
    TooShort {
        /// How many there were.
        length: usize,
    },
    /// A tag has no meaning.
    #[error("byte {at} of the image has the tag {tag}, which means nothing there")]
    BadTag {
        /// Where.
        at: usize,
        /// Which.
        tag: u8,
    },
    /// More bytes than the value needs.
    #[error("{count} bytes are left over behind the image")]
    LeftOver {
        /// How many.
        count: usize,
    },
}

/// Bytes being read.
#[derive(Debug)]
pub struct Source<'a> {
    bytes: &'a [u8],
    at: usize,
    format: u16,
}

impl<'a> Source<'a> {
    /// Reads from the beginning of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, format: u16::MAX }
    }
    /// What is read from here on was written in an earlier format of the journal: what came later is not there.
    pub fn written_in(&mut self, format: u16) {
        self.format = format;
    }
    /// In which format the bytes were written; the highest number where that is the latest.
    #[must_use]
    pub const fn format(&self) -> u16 {
        self.format
    }
    /// The next `count` bytes.
    ///
    /// # Errors
    /// Fails where fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], ImageError> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or(ImageError::TooShort { length: self.bytes.len() })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }
    /// What stands for a tag that no reader knows.
    #[must_use]
    pub fn bad_tag(&self, tag: u8) -> ImageError {
        ImageError::BadTag { at: self.at.saturating_sub(1), tag }
    }
    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left() == 0
    }
    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }
}

/// The image of a value as bytes of their own.
pub fn to_bytes<T: Image>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    value.write(&mut out);
    out
}

/// Reads one value that fills all of `bytes`.
///
/// # Errors
/// Fails where the bytes are not exactly one image of such a value.
pub fn from_bytes<T: Image>(bytes: &[u8]) -> Result<T, ImageError> {
    let mut source = Source::new(bytes);
    let value = T::read(&mut source)?;
    if source.left() > 0 {
        return Err(ImageError::LeftOver { count: source.left() });
    }
    Ok(value)
}

/// Gives a struct an image from the list of its fields, or an enum from its variants with their tags.
#[macro_export]
macro_rules! image {
    (struct $name:ty { $($field:ident),* $(,)? }) => {
        impl $crate::image::Image for $name {
            fn write(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($crate::image::Image::write($field, out);)*
            }
            fn read(source: &mut $crate::image::Source<'_>) -> Result<Self, $crate::image::ImageError> {
                $(let $field = $crate::image::Image::read(source)?;)*
                Ok(Self { $($field),* })
            }
        }
    };
    (enum $name:ty { $($tag:literal => $variant:ident $({ $($field:ident),* $(,)? })?),* $(,)? }) => {
        impl $crate::image::Image for $name {
            fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant $({ $($field),* })? => {
                        out.push($tag);
                        $($($crate::image::Image::write($field, out);)*)?
                    })*
                }
            }
            fn read(source: &mut $crate::image::Source<'_>) -> Result<Self, $crate::image::ImageError> {
                let tag = source.take(1)?[0];
                match tag {
                    $($tag => {
                        $($(let $field = $crate::image::Image::read(source)?;)*)?
                        Ok(Self::$variant $({ $($field),* })?)
                    })*
                    _ => Err(source.bad_tag(tag)),
                }
            }
        }
    };
}

macro_rules! integers {
    ($($int:ty),*) => {$(
        impl Image for $int {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
                let bytes = source.take(size_of::<$int>())?;
                Ok(Self::from_le_bytes(bytes.try_into().expect("as many bytes were taken as the integer has")))
            }
        }
    )*};
}
integers!(u8, u16, u32, u64, u128, i32, i64, i128);

/// Images of newtypes, by the integer inside.
macro_rules! newtypes {
    ($($name:ty: $build:path, $read:path;)*) => {$(
        impl Image for $name {
            fn write(&self, out: &mut Vec<u8>) {
                $read(*self).write(out);
            }
            fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
                Ok($build(Image::read(source)?))
            }
        }
    )*};
}
newtypes! {
    giga_units::Power: giga_units::Power::milliwatts, giga_units::Power::as_milliwatts;
    giga_units::Energy: giga_units::Energy::joules, giga_units::Energy::as_joules;
    giga_units::EnergyMeter: giga_units::EnergyMeter::microjoules, giga_units::EnergyMeter::as_microjoules;
    giga_units::Money: giga_units::Money::microeuro, giga_units::Money::as_microeuro;
    giga_units::Carbon: giga_units::Carbon::milligrams, giga_units::Carbon::as_milligrams;
    giga_units::Fraction: giga_units::Fraction::ppm, giga_units::Fraction::as_ppm;
    giga_units::Duration: giga_units::Duration::milliseconds, giga_units::Duration::as_milliseconds;
    giga_units::Instant: giga_units::Instant::unix_milliseconds, giga_units::Instant::as_unix_milliseconds;
    giga_units::AcceleratorTime: giga_units::AcceleratorTime::milliseconds, giga_units::AcceleratorTime::as_milliseconds;
}

macro_rules! ids {
    ($($name:ident),*) => {$(
        impl Image for crate::$name {
            fn write(&self, out: &mut Vec<u8>) {
                self.0.write(out);
            }
            fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
                Ok(Self(Image::read(source)?))
            }
        }
    )*};
}
ids!(SiteId, PoolId, PhaseId, OwnerId, ProgrammeId, ProjectId, AcceleratorId, DatasetId, JobId);

impl Image for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
        match source.take(1)?[0] {
            0 => Ok(false),
            1 => Ok(true),
            tag => Err(source.bad_tag(tag)),
        }
    }
}

impl<T: Image> Image for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }
    fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
        bool::read(source)?.then(|| T::read(source)).transpose()
    }
}

fn write_all<'a, T: Image + 'a>(values: impl ExactSizeIterator<Item = &'a T>, out: &mut Vec<u8>) {
    (values.len() as u64).write(out);
    values.for_each(|value| value.write(out));
}

fn read_all<T: Image, C: FromIterator<T>>(source: &mut Source<'_>) -> Result<C, ImageError> {
    let length = u64::read(source)?;
    (0..length).map(|_| T::read(source)).collect()
}

macro_rules! lists {
    ($($list:ty),*) => {$(
        impl<T: Image + Ord> Image for $list {
            fn write(&self, out: &mut Vec<u8>) {
                write_all(self.iter(), out);
            }
            fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
                read_all(source)
            }
        }
    )*};
}
lists!(BTreeSet<T>);

macro_rules! sequences {
    ($($list:ty),*) => {$(
        impl<T: Image> Image for $list {
            fn write(&self, out: &mut Vec<u8>) {
                write_all(self.iter(), out);
            }
            fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
                read_all(source)
            }
        }
    )*};
}
sequences!(Vec<T>, VecDeque<T>, Box<[T]>, Arc<[T]>);

impl Image for String {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_bytes().to_vec().write(out);
    }
    fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
        let bytes: Vec<u8> = Image::read(source)?;
        Self::from_utf8(bytes).map_err(|_| source.bad_tag(0xff))
    }
}

impl<A: Image, B: Image> Image for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }
    fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
        Ok((A::read(source)?, B::read(source)?))
    }
}

impl<K: Image + Ord, V: Image> Image for BTreeMap<K, V> {
    fn write(&self, out: &mut Vec<u8>) {
        (self.len() as u64).write(out);
        for (key, value) in self {
            key.write(out);
            value.write(out);
        }
    }
    fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
        read_all(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Signal {
        Stop,
        Go { speed: u32, names: Vec<String> },
    }
    image!(enum Signal { 0 => Stop, 1 => Go { speed, names } });

    #[test]
    fn an_image_reads_back() {
        let value = vec![Signal::Go { speed: 3, names: vec!["a".into()] }, Signal::Stop];
        let bytes = to_bytes(&value);
        assert_eq!(from_bytes::<Vec<Signal>>(&bytes), Ok(value));
    }

    #[test]
    fn what_is_no_image_is_refused() {
        assert_eq!(from_bytes::<Signal>(&[7]), Err(ImageError::BadTag { at: 0, tag: 7 }));
        assert_eq!(from_bytes::<u32>(&[1, 2]), Err(ImageError::TooShort { length: 2 }));
        assert_eq!(from_bytes::<u8>(&[1, 2]), Err(ImageError::LeftOver { count: 1 }));
        let huge = u64::MAX.to_le_bytes();
        assert!(from_bytes::<Vec<u64>>(&huge).is_err(), "a false length must not reserve memory");
    }
}
