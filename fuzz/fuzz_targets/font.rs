//! See `pixmill_fuzz::font`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: pixmill_fuzz::forgive_panics_of_decoders(),
    |data: &[u8]| pixmill_fuzz::font(data)
);
