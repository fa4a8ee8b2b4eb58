//! What an answer tells of the caller's limit.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::domain::Timestamp;
use crate::gate::Allowance;

/// The names most clients know, and those of the IETF draft (ratelimit-headers, sections 4
/// and 5): a policy of `q` calls in `w` seconds, `r` left, starting over in `t` seconds.
pub fn tell(headers: &mut HeaderMap, allowance: &Allowance, now: Timestamp) {
    let Allowance { limit, remaining, reset } = *allowance;
    let seconds = reset.micros() / 1_000_000;
    set(headers, "x-ratelimit-limit", HeaderValue::from(limit));
    set(headers, "x-ratelimit-remaining", HeaderValue::from(remaining));
    set(headers, "x-ratelimit-reset", HeaderValue::from(seconds));
    let policy = format!("\"hour\";q={limit};w=3600");
    let state = format!("\"hour\";r={remaining};t={}", allowance.wait(now));
    for (name, text) in [("ratelimit-policy", policy), ("ratelimit", state)] {
        set(headers, name, HeaderValue::try_from(text).expect("numbers are ASCII"));
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: HeaderValue) {
    headers.insert(HeaderName::from_static(name), value);
}
