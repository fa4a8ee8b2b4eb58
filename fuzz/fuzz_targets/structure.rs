#![no_main]

use gatepost::domain::mailroom::properties::check_structure;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check_structure(bytes));
