//! The files of an attempt: nothing makes the reader panic, and what it reads is written as the same value.
#![no_main]

use giga_formats::attempt::{AttemptFile, Body, Claim, Handover, Lost, readings};
use giga_model::{Idling, Receipt};
use libfuzzer_sys::fuzz_target;

fn there_and_back<T: AttemptFile + PartialEq + std::fmt::Debug>(data: &[u8]) {
    if let Ok(value) = T::read(data) {
        assert_eq!(T::read(value.write().as_bytes()).expect("what is written is read"), value);
    }
}

fuzz_target!(|data: &[u8]| {
    there_and_back::<Handover>(data);
    there_and_back::<Claim>(data);
    there_and_back::<Body>(data);
    there_and_back::<Receipt>(data);
    there_and_back::<Lost>(data);
    there_and_back::<Idling>(data);
    let _ = std::str::from_utf8(data).map(readings);
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(id) = text.parse::<giga_model::AttemptId>()
    {
        assert_eq!(id.to_string(), text);
    }
});
