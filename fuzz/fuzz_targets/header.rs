#![no_main]

use gatepost::domain::mailroom::properties::check_header;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check_header(bytes));
