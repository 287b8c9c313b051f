//! Descriptions: faults can be printed, and what was read expands to a text that reads back to the same federation.
#![no_main]

use giga_formats::description::{expand, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match read("fuzz.toml", text) {
        Err(faults) => drop(faults.to_string()),
        Ok(description) => {
            let again = read("expanded.toml", &expand(&description));
            let again = again.unwrap_or_else(|faults| panic!("the expanded form is refused: {faults}"));
            assert_eq!(again.federation, description.federation);
        }
    }
});
