//! The manifest of a dataset: nothing makes the reader panic, and what it reads is written as the same bytes.
#![no_main]

use giga_formats::manifest::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(manifest) = Manifest::read(data) {
        assert_eq!(manifest.write().as_bytes(), data);
        for file in manifest.files() {
            assert!(!file.path.starts_with('/') && file.path.split('/').all(|name| name != ".."));
        }
    }
});
