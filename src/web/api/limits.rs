//! What an answer tells of the caller's limit.

use std::cell::RefCell;

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

/// What is alike in answers to calls of one hour under one limit; of several, a thread keeps
/// the latest.
struct Alike {
    limit: u32,
    reset: Timestamp,
    values: [(HeaderName, HeaderValue); 3],
}

thread_local! {
    static ALIKE: RefCell<Option<Alike>> = const { RefCell::new(None) };
}

impl Alike {
    fn of(limit: u32, reset: Timestamp) -> Self {
        let second = (reset.micros() / 1_000_000) as u64;
        let policy = value(&["\"hour\";q=", Buffer::new().format(limit), ";w=3600"]);
        Self { limit, reset, values: [(LIMIT, limit.into()), (RESET, second.into()), (POLICY, policy)] }
    }
}

/// The names most clients know, and those of the IETF draft (ratelimit-headers, sections 4
/// and 5): a policy of `q` calls in `w` seconds, `r` left, starting over in `t` seconds.
pub fn tell(headers: &mut HeaderMap, allowance: &Allowance, now: Timestamp) {
    let Allowance { limit, remaining, reset } = *allowance;
    headers.reserve(5);
    ALIKE.with_borrow_mut(|alike| {
        let alike = match alike {
            Some(known) if (known.limit, known.reset) == (limit, reset) => known,
            other => other.insert(Alike::of(limit, reset)),
        };
        for (name, value) in &alike.values {
            headers.insert(name.clone(), value.clone());
        }
    });
    let [left, wait] = &mut std::array::from_fn(|_| Buffer::new());
    let (left, wait) = (left.format(remaining), wait.format(allowance.wait(now)));
    headers.insert(STATE, value(&["\"hour\";r=", left, ";t=", wait]));
    headers.insert(REMAINING, remaining.into());
}

fn value(parts: &[&str]) -> HeaderValue {
    let mut text = BytesMut::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| text.extend_from_slice(part.as_bytes()));
    HeaderValue::from_maybe_shared(text.freeze()).expect("numbers are ASCII")
}
