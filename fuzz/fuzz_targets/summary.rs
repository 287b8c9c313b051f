//! Summaries of runs: any text is read or refused, and what was read commands no screen.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(read) = giga_formats::summary::read(text) {
        let words = read.figures.iter().flat_map(|row| [&row.group, &row.of, &row.what]);
        let words = words.chain([&read.federation, &read.work, &read.from, &read.until]);
        assert!(words.into_iter().all(|word| !word.contains(char::is_control)));
    }
});
