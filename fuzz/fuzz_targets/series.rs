//! Hours of a series from a further file: faults can be printed, and what was read is in the expanded form.
#![no_main]

use giga_formats::description::{Beside, expand, read, read_with};
use libfuzzer_sys::fuzz_target;

const TEXT: &str = include_str!("../corpus/description/with-series.toml");

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let open = |_: &str| Ok(text.to_owned());
    match read_with("fuzz.toml", TEXT, &Beside { open: &open, shocks: &["hot"] }) {
        Err(faults) => drop(faults.to_string()),
        Ok(description) => {
            let again = read("expanded.toml", &expand(&description));
            let again = again.unwrap_or_else(|faults| panic!("the expanded form is refused: {faults}"));
            assert_eq!(again.federation, description.federation);
        }
    }
});
