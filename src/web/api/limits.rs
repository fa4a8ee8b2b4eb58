//! What an answer tells of the caller's limit.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::web::BytesMut;
use itoa::Buffer;

use crate::domain::Timestamp;
use crate::gate::Allowance;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// Bytes all values together fit into.
const ROOM: usize = 128;

/// The names most clients know, and those of the IETF draft (ratelimit-headers, sections 4
/// and 5): a policy of `q` calls in `w` seconds, `r` left, starting over in `t` seconds.
pub fn tell(headers: &mut HeaderMap, allowance: &Allowance, now: Timestamp) {
    let Allowance { limit, remaining, reset } = *allowance;
    let [first, second, third, fourth] = &mut std::array::from_fn(|_| Buffer::new());
    let (limit, remaining) = (first.format(limit), second.format(remaining));
    let (reset, wait) = (third.format(reset.micros() / 1_000_000), fourth.format(allowance.wait(now)));
    let values: [(HeaderName, &[&str]); 5] = [
        (LIMIT, &[limit]),
        (REMAINING, &[remaining]),
        (RESET, &[reset]),
        (POLICY, &["\"hour\";q=", limit, ";w=3600"]),
        (STATE, &["\"hour\";r=", remaining, ";t=", wait]),
    ];
    // All in one piece of memory, as every answer has them.
    let mut text = BytesMut::with_capacity(ROOM);
    headers.reserve(values.len());
    for (name, parts) in values {
        parts.iter().for_each(|part| text.extend_from_slice(part.as_bytes()));
        let value = HeaderValue::from_maybe_shared(text.split().freeze());
        headers.insert(name, value.expect("numbers are ASCII"));
    }
}
