#![no_main]

use gatepost::domain::mailroom::properties::check_message;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check_message(bytes));
