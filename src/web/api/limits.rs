//! What an answer tells of the caller's limit.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use itoa::Buffer;

use crate::domain::Timestamp;
use crate::gate::Allowance;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// The names most clients know, and those of the IETF draft (ratelimit-headers, sections 4
/// and 5): a policy of `q` calls in `w` seconds, `r` left, starting over in `t` seconds.
pub fn tell(headers: &mut HeaderMap, allowance: &Allowance, now: Timestamp) {
    let Allowance { limit, remaining, reset } = *allowance;
    headers.reserve(5);
    headers.insert(LIMIT, limit.into());
    headers.insert(REMAINING, remaining.into());
    headers.insert(RESET, (reset.micros() / 1_000_000).into());
    let (mut first, mut second) = (Buffer::new(), Buffer::new());
    let policy = ["\"hour\";q=", first.format(limit), ";w=3600"].concat();
    headers.insert(POLICY, ascii(policy));
    let (left, wait) = (first.format(remaining), second.format(allowance.wait(now)));
    headers.insert(STATE, ascii(["\"hour\";r=", left, ";t=", wait].concat()));
}

fn ascii(text: String) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from(text)).expect("numbers are ASCII")
}
