#![no_main]

use gatepost::domain::mailroom::properties::check_tnef;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check_tnef(bytes));
