//! A clock and a random source that tests control, so that expected values can be literal.

use gatepost::domain::Timestamp;
use gatepost::domain::clock::Clock;
use gatepost::domain::entropy::Entropy;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// 2040-01-02T09:00:00Z, in the future, so that no client considers a cookie expired.
pub const START: Timestamp = Timestamp::from_micros(2_209_107_600_000_000);

/// Changes only when it is advanced.
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn new() -> Self {
        Self(AtomicI64::new(START.micros()))
    }

    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("a short while");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Sets the clock back, like an operator who corrects one that runs ahead.
    pub fn set_back(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("a short while");
        self.0.fetch_sub(micros, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// SplitMix64 from a fixed start: the same bytes in the same order each time, without repetitions.
pub struct TestEntropy(AtomicU64);

impl TestEntropy {
    pub fn new() -> Self {
        Self(AtomicU64::new(1))
    }

    /// Continues from the position of another one.
    pub fn from_position(position: u64) -> Self {
        Self(AtomicU64::new(position))
    }

    pub fn position(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn next(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut z = self.0.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[test]
fn the_start_time_matches_its_comment() {
    assert_eq!(START.to_string(), "2040-01-02T09:00:00Z");
}
