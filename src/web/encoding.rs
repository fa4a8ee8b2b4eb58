//! Compressed requests. They are refused before the body is read (RFC 9110, section 8.4), because legitimate
//! bodies are short and a compressed one could inflate to gigabytes.

use actix_web::http::header::{CONTENT_ENCODING, HeaderMap};

/// Whether the body has an encoding other than identity.
pub fn is_encoded(headers: &HeaderMap) -> bool {
    let plain = |value: &[u8]| value.trim_ascii().eq_ignore_ascii_case(b"identity");
    headers.get_all(CONTENT_ENCODING).any(|value| !plain(value.as_bytes()))
}
