//! Reads a message from its bytes: header fields by RFC 5322, bodies by MIME.
//!
//! Everything here is a function of the bytes that takes linear time. Real mail is often malformed:
//! each part is read as far as it can be, and what cannot be read costs only itself.

pub mod address;
mod calendar;
pub mod charset;
pub mod content;
pub mod encoded_word;
mod flowed;
pub mod header;
mod parameters;
#[cfg(test)]
mod properties;
mod seven_bit;
pub mod structure;
mod tokens;
pub mod transfer;
