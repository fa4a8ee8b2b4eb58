#![no_main]

use gatepost::domain::mailroom::properties::check_address;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check_address(bytes));
