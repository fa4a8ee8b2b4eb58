//! Reads messages: headers by RFC 5322, and bodies by MIME (RFC 2045 and 2046).
//!
//! All functions depend only on their input and take linear time. Real mail is often malformed, so each part
//! is read as far as possible, and an unreadable part does not affect the others.

pub mod address;
mod calendar;
pub mod charset;
pub mod content;
pub mod encoded_word;
mod flowed;
pub mod header;
mod parameters;
#[cfg(any(test, fuzzing))]
pub mod properties;
mod seven_bit;
pub mod structure;
mod tnef;
mod tokens;
pub mod transfer;
