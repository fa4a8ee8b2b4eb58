//! What an answer tells of the caller's limit.

use std::fmt::Write;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;

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
    let (seconds, wait) = (reset.micros() / 1_000_000, allowance.wait(now));
    let names = [LIMIT, REMAINING, RESET, POLICY, STATE];
    let mut ends = [0; 5];
    // One piece of memory for them all.
    let mut text = String::with_capacity(128);
    for (end, value) in ends.iter_mut().zip([
        format_args!("{limit}"),
        format_args!("{remaining}"),
        format_args!("{seconds}"),
        format_args!("\"hour\";q={limit};w=3600"),
        format_args!("\"hour\";r={remaining};t={wait}"),
    ]) {
        let _ = text.write_fmt(value);
        *end = text.len();
    }
    let (text, mut begin) = (Bytes::from(text), 0);
    for (name, end) in names.into_iter().zip(ends) {
        let value = HeaderValue::from_maybe_shared(text.slice(begin..end));
        headers.insert(name, value.expect("numbers are ASCII"));
        begin = end;
    }
}
