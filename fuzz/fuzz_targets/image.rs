//! Images of values; what could be read is written as the same bytes.
#![no_main]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use giga_model::image::{Image, from_bytes, to_bytes};
use giga_model::{JobId, SiteId};
use giga_units::{AcceleratorTime, Duration, Instant};
use libfuzzer_sys::fuzz_target;

fn check<T: Image>(data: &[u8]) {
    if let Ok(value) = from_bytes::<T>(data) {
        let bytes = to_bytes(&value);
        assert!(from_bytes::<T>(&bytes).is_ok_and(|again| to_bytes(&again) == bytes));
    }
}

fuzz_target!(|data: &[u8]| {
    check::<Vec<(JobId, Option<Instant>)>>(data);
    check::<BTreeMap<SiteId, Vec<Duration>>>(data);
    check::<(BTreeSet<u64>, VecDeque<bool>)>(data);
    check::<Vec<String>>(data);
    check::<(Box<[AcceleratorTime]>, Option<u8>)>(data);
});
