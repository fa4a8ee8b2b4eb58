//! The calls of one hour in one number, so that counting one more is one compare-and-swap.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::Timestamp;

const HOUR: i64 = 3_600_000_000;

/// Calls of one team, or token, within one hour: the hour since 1970 in the upper half, the
/// count in the lower.
#[derive(Debug, Default)]
pub struct Window(AtomicU64);

/// The hour a moment lies in, and when the next one begins.
pub fn hour(now: Timestamp) -> (u32, Timestamp) {
    let hour = now.micros().div_euclid(HOUR);
    (hour as u32, Timestamp::from_micros((hour + 1) * HOUR))
}

/// When the hour of `now` began.
pub fn hour_began(now: Timestamp) -> Timestamp {
    Timestamp::from_micros(now.micros().div_euclid(HOUR) * HOUR)
}

impl Window {
    pub fn starting(hour: u32, used: u32) -> Self {
        Self(AtomicU64::new(pack(hour, used)))
    }

    /// Counts one more call, unless `limit` are counted: how many are left then.
    pub fn take(&self, hour: u32, limit: u32) -> Option<u32> {
        let next = |packed: u64| {
            let used = used_in(packed, hour);
            (used < limit).then(|| pack(hour, used + 1))
        };
        let before = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).ok()?;
        Some(limit - used_in(before, hour) - 1)
    }

    /// Takes a call back that was not let in after all.
    pub fn give_back(&self, hour: u32) {
        let less =
            |packed: u64| (packed >> 32 == u64::from(hour) && packed & 0xffff_ffff > 0).then(|| packed - 1);
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }

    /// Remembers that at least so many were counted.
    pub fn raise(&self, hour: u32, used: u32) {
        self.0.fetch_max(pack(hour, used), Ordering::AcqRel);
    }

    pub fn used(&self, hour: u32) -> u32 {
        used_in(self.0.load(Ordering::Acquire), hour)
    }
}

const fn pack(hour: u32, used: u32) -> u64 {
    ((hour as u64) << 32) | used as u64
}

/// Calls of another hour do not count; a clock that steps back a little does not start over.
fn used_in(packed: u64, hour: u32) -> u32 {
    if packed >> 32 >= u64::from(hour) { packed as u32 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_limit_passes_under_parallel_calls() {
        let window = Window::default();
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..1000).filter(|_| window.take(7, 1234).is_some()).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(passed, 1234);
    }

    #[test]
    fn a_new_hour_starts_over_and_an_old_one_does_not() {
        let window = Window::starting(7, 9);
        assert_eq!(window.take(7, 10), Some(0));
        assert_eq!(window.take(7, 10), None);
        assert_eq!(window.take(6, 10), None, "the clock stepped back");
        assert_eq!(window.take(8, 10), Some(9));
        assert_eq!(window.used(8), 1);
        window.give_back(8);
        assert_eq!(window.used(8), 0);
    }

    #[test]
    fn hours_begin_where_clocks_say() {
        let now = Timestamp::from_micros(1_700_000_123_000_000);
        assert_eq!(hour_began(now).micros() % HOUR, 0);
        assert!(hour_began(now) <= now && now < hour(now).1);
    }
}
