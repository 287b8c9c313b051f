//! Records of a journal: what is read is written alike, and a hostile journal that is decided again breaks nothing.
#![no_main]

use std::sync::{Arc, LazyLock};

use giga_control::Control;
use giga_formats::description;
use giga_formats::journal::{self, Record};
use giga_model::{Federation, image};
use giga_units::{Duration, Instant};
use libfuzzer_sys::fuzz_target;

/// Two sites with phases to come, windows and failures.
static FEDERATION: LazyLock<Arc<Federation>> = LazyLock::new(|| {
    let text = include_str!("../src/two-sites.toml");
    Arc::new(description::read("two-sites.toml", text).expect("it has no fault").federation)
});

fuzz_target!(|data: &[u8]| {
    let _ = (journal::read(data), journal::read_snapshot(data, "0.1.0"));
    let Ok(records) = image::from_bytes::<Vec<Record>>(data) else { return };
    let mut control = Control::new(Arc::clone(&FEDERATION), FEDERATION.start);
    let last = FEDERATION.start + Duration::days(400);
    for record in records {
        assert_eq!(journal::read(&journal::write(&record)).as_ref(), Ok(&record));
        if record.inputs.iter().all(|input| control.knows(input)) && record.now < last {
            control.advance(record.now.max(Instant::unix_milliseconds(0)), &record.inputs);
        }
    }
    assert_eq!(control.summary().violations, 0);
});
