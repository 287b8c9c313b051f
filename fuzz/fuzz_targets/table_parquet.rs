//! Our own table as Parquet. The reader catches panics of the parquet crate; the hook that libFuzzer sets would end the
//! process at those too, so it is taken away. A panic of our own still reaches libFuzzer and ends the process.
#![no_main]

use giga_formats::work;
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| {})),
    |data: &[u8]| giga_fuzz::read(|options| work::read_parquet(bytes::Bytes::copy_from_slice(data), options))
);
