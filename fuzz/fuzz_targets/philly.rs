//! The Philly trace.
#![no_main]

use giga_formats::work::WorkFormat;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| giga_fuzz::text(
    WorkFormat::Philly,
    "timestamp,duration,num_gpus,gpu_time,cluster\n",
    data
));
