//! Job files: faults can be printed, and what was read writes back to a body that is checked to the same job.
#![no_main]

use giga_formats::job::{JobBody, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match read("fuzz.toml", text) {
        Err(faults) => drop(faults.to_string()),
        Ok(file) => {
            assert_eq!(file.spec.body().check().as_ref(), Ok(&file.spec));
            let json = serde_json::to_string(&file.body).expect("plain values can be written");
            let again: JobBody = serde_json::from_str(&json).expect("what was written is read");
            assert_eq!(again, file.body);
        }
    }
});
