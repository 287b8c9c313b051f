//! Descriptions with the files they name: opened from the folder of the description, and never larger than a bound.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use giga_formats::description::{Beside, Description, Faults, read_with};

/// The largest further file, in bytes; ten years of hours have under 10 MB.
const FILE_MAX: u64 = 64 << 20;

/// Reads a description that stands at a path, with shocks that happen.
///
/// # Errors
/// All faults of it, and of the files it names.
pub(crate) fn read(path: &Path, text: &str, shocks: &[&str]) -> Result<Description, Faults> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let open = |name: &str| further(&folder.join(name));
    read_with(&path.display().to_string(), text, &Beside { open: &open, shocks })
}

fn further(path: &Path) -> Result<String, String> {
    String::from_utf8(bytes(path)?).map_err(|_| "stream did not contain valid UTF-8".to_owned())
}

/// The bytes of a file, never more than a bound.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let length = file.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if length as u64 > FILE_MAX {
        return Err(format!("it has over {} MiB", FILE_MAX >> 20));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_further_file_is_bounded_and_stands_beside_the_description() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/up/local.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let line = "country = \"FI\"\nprice_series = { file = \"prices.csv\" }\n";
        let faults = read(&path, &text.replacen("country = \"FI\"\n", line, 1), &[]).unwrap_err();
        assert!(faults.to_string().contains("`prices.csv` can not be read: No such file"), "{faults}");
        assert!(further(&path).is_ok_and(|read| read == text));
        #[cfg(target_os = "linux")]
        assert_eq!(further(Path::new("/dev/zero")), Err("it has over 64 MiB".into()));
    }
}
