//! The time, read once per request and passed as an argument.

use time::OffsetDateTime;

use super::Timestamp;

pub trait Clock: Send + Sync {
    /// Now, in microseconds, the precision of both engines.
    fn now(&self) -> Timestamp;
}

pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the clock")]
    fn now(&self) -> Timestamp {
        OffsetDateTime::now_utc().into()
    }
}
