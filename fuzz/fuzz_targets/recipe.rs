//! See `pixmill_fuzz::recipe`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| pixmill_fuzz::recipe(data));
