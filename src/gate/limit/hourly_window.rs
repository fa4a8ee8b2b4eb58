//! The number of calls in an hour, in one atomic integer, so that counting a call is one compare-and-swap.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::Timestamp;

const HOUR: i64 = 3_600_000_000;

/// The number of the hour since 1970 in the upper half, and the calls of a team or token in the lower.
#[derive(Debug, Default)]
pub struct HourlyWindow(AtomicU64);

/// Returns the number of the hour that contains `now`, and when the next one begins.
pub fn hour(now: Timestamp) -> (u32, Timestamp) {
    let hour = now.micros().div_euclid(HOUR);
    (hour.max(0) as u32, Timestamp::from_micros((hour + 1).saturating_mul(HOUR)))
}

pub fn hour_began(now: Timestamp) -> Timestamp {
    Timestamp::from_micros(now.micros().div_euclid(HOUR).saturating_mul(HOUR))
}

impl HourlyWindow {
    pub fn starting(hour: u32, used: u32) -> Self {
        Self(AtomicU64::new(pack(hour, used)))
    }

    /// Counts a call and returns how many remain, or `None` if the limit is reached.
    pub fn count(&self, hour: u32, limit: u32) -> Option<u32> {
        let next = |packed: u64| {
            let (counted, used) = current(packed, hour);
            (used < limit).then(|| pack(counted, used + 1))
        };
        let before = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).ok()?;
        Some(limit - current(before, hour).1 - 1)
    }

    /// Uncounts a call that another limit refused.
    pub fn uncount(&self, hour: u32) {
        let less = |packed: u64| {
            let (counted, used) = current(packed, hour);
            (used > 0).then(|| pack(counted, used - 1))
        };
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }

    pub fn raise(&self, hour: u32, used: u32) {
        let higher = |packed: u64| {
            let (counted, known) = current(packed, hour);
            let raised = pack(counted, known.max(used));
            (raised != packed).then_some(raised)
        };
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, higher);
    }

    pub fn used(&self, hour: u32) -> u32 {
        current(self.0.load(Ordering::Acquire), hour).1
    }
}

const fn pack(hour: u32, used: u32) -> u64 {
    ((hour as u64) << 32) | used as u64
}

/// Returns the hour to count in and its calls so far. A late call, or one after the clock was set back a little, counts
/// in the hour that has already begun, so that no count starts over. A stored hour further ahead comes from a wrong clock
/// and is discarded, because otherwise it would refuse calls until that time.
fn current(packed: u64, hour: u32) -> (u32, u32) {
    let counted = (packed >> 32) as u32;
    match counted.checked_sub(hour) {
        Some(0 | 1) => (counted, packed as u32),
        _ => (hour, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_limit_of_parallel_calls_succeeds() {
        let window = HourlyWindow::default();
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..1000).filter(|_| window.count(7, 1234).is_some()).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(passed, 1234);
    }

    #[test]
    fn a_new_hour_starts_at_zero_and_an_old_one_does_not() {
        let window = HourlyWindow::starting(7, 9);
        assert_eq!(window.count(7, 10), Some(0));
        assert_eq!(window.count(7, 10), None);
        assert_eq!(window.count(6, 10), None, "the clock was set back");
        assert_eq!(window.count(6, 11), Some(0));
        assert_eq!(window.count(7, 11), None, "the late call counts");
        assert_eq!(window.count(8, 10), Some(9));
        assert_eq!(window.used(8), 1);
        window.uncount(8);
        assert_eq!(window.used(8), 0);
    }

    #[test]
    fn a_corrected_clock_does_not_exhaust_the_limit() {
        let (now, ahead) = (7, 7 + 240);
        let window = HourlyWindow::starting(now, 3);
        assert_eq!(window.count(ahead, 1), Some(0));
        assert_eq!(window.count(ahead, 1), None);
        assert_eq!((window.used(now), window.count(now, 10)), (0, Some(9)));
        window.raise(ahead, 10);
        window.raise(now, 2);
        assert_eq!((window.used(now), window.used(ahead)), (2, 0));
        window.raise(now, 1);
        window.uncount(now);
        assert_eq!(window.used(now), 1);
        window.raise(now + 1, 10);
        assert_eq!(window.count(now, 10), None, "the next hour is trusted");
    }

    #[test]
    fn counts_and_hours_are_bounded() {
        let window = HourlyWindow::starting(u32::MAX, u32::MAX);
        assert_eq!(window.count(u32::MAX, u32::MAX), None);
        assert_eq!(window.count(u32::MAX - 1, u32::MAX), None);
        window.raise(u32::MAX, u32::MAX);
        window.uncount(u32::MAX);
        assert_eq!(window.used(u32::MAX), u32::MAX - 1);
        for micros in [i64::MIN, -1, i64::MAX] {
            let now = Timestamp::from_micros(micros);
            assert!(hour(now).1 >= hour_began(now));
        }
        assert_eq!(hour(Timestamp::from_micros(-1)).0, 0);
    }

    #[test]
    fn hours_begin_at_full_hours() {
        let now = Timestamp::from_micros(1_700_000_123_000_000);
        assert_eq!(hour_began(now).micros() % HOUR, 0);
        assert!(hour_began(now) <= now && now < hour(now).1);
    }
}
