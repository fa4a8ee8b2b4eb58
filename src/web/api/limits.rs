//! Rate limit headers.

use std::cell::RefCell;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use itoa::Buffer;

use crate::domain::Timestamp;
use crate::gate::Allowance;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// The headers that are equal for all responses within an hour under the same limit. Each thread caches the
/// latest.
struct Shared {
    of: (u32, Timestamp),
    limit: HeaderValue,
    reset: HeaderValue,
    policy: HeaderValue,
}

thread_local! {
    static SHARED: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

impl Shared {
    fn of(limit: u32, reset: Timestamp) -> Self {
        let second = reset.micros() / 1_000_000;
        let policy = value(&["\"hour\";q=", Buffer::new().format(limit), ";w=3600"]);
        Self { of: (limit, reset), limit: limit.into(), reset: second.into(), policy }
    }
}

/// Adds the names that most clients know, and those of the IETF draft (ratelimit-headers, sections 4 and 5):
/// a policy of `q` calls in `w` seconds, `r` remaining, reset in `t` seconds. Appends without a lookup, because
/// nothing else sets them.
pub fn add_headers(headers: &mut HeaderMap, allowance: &Allowance, now: Timestamp) {
    let Allowance { limit, remaining, reset } = *allowance;
    headers.reserve(5);
    SHARED.with_borrow_mut(|shared| {
        let shared = match shared {
            Some(known) if known.of == (limit, reset) => known,
            other => other.insert(Shared::of(limit, reset)),
        };
        headers.append(LIMIT, shared.limit.clone());
        headers.append(RESET, shared.reset.clone());
        headers.append(POLICY, shared.policy.clone());
    });
    let [left, wait] = &mut std::array::from_fn(|_| Buffer::new());
    let (left, wait) = (left.format(remaining), wait.format(allowance.wait(now)));
    headers.append(REMAINING, value(&[left]));
    headers.append(STATE, value(&["\"hour\";r=", left, ";t=", wait]));
}

fn value(parts: &[&str]) -> HeaderValue {
    HeaderValue::try_from(parts.concat()).expect("numbers are ASCII")
}
