//! The time, read once per request and passed on by value.

use time::OffsetDateTime;

use super::Timestamp;

pub trait Clock: Send + Sync {
    /// Now, to the microsecond both engines keep.
    fn now(&self) -> Timestamp;
}

pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        OffsetDateTime::now_utc().into()
    }
}
