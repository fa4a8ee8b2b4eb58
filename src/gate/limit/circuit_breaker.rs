//! Keeps an unreachable service from slowing down every call.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

const PAUSE: Duration = Duration::from_secs(1);

/// Opens after a failure: calls are refused at once, except one after each pause. Closes when that call succeeds.
#[derive(Default)]
pub struct CircuitBreaker(Mutex<State>);

#[derive(Default)]
struct State {
    /// The number of outages so far. Only the first failure of a generation counts, because many calls fail for the
    /// same reason.
    generation: u64,
    /// When the next attempt is allowed; `None` while closed.
    retry_at: Option<Instant>,
}

impl CircuitBreaker {
    /// Returns the generation to call in, or `None` while open.
    pub fn enter(&self) -> Option<u64> {
        let mut state = self.0.lock();
        if let Some(retry_at) = state.retry_at {
            let now = Instant::now();
            if now < retry_at {
                return None;
            }
            // If this call never returns, another one is allowed after the next pause.
            state.retry_at = Some(now + PAUSE);
        }
        Some(state.generation)
    }

    pub fn is_current(&self, generation: u64) -> bool {
        self.0.lock().generation == generation
    }

    /// Returns whether this closed the breaker.
    pub fn succeeded(&self, generation: u64) -> bool {
        let mut state = self.0.lock();
        state.generation == generation && state.retry_at.take().is_some()
    }

    /// Returns whether this opened the breaker.
    pub fn failed(&self, generation: u64) -> bool {
        let mut state = self.0.lock();
        if state.generation != generation {
            return false;
        }
        state.generation += 1;
        state.retry_at.replace(Instant::now() + PAUSE).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_is_allowed_after_each_pause_until_one_succeeds() {
        let breaker = CircuitBreaker::default();
        let first = breaker.enter().unwrap();
        assert!(breaker.failed(first));
        assert!(!breaker.failed(first), "only the first failure counts");
        assert!(breaker.enter().is_none());
        std::thread::sleep(PAUSE);
        let second = breaker.enter().unwrap();
        assert!(breaker.enter().is_none(), "only one call at a time");
        assert!(!breaker.succeeded(first), "a reply from before the failure");
        assert!(breaker.succeeded(second));
        assert!(!breaker.succeeded(second), "the breaker was already closed");
        assert!(breaker.enter().is_some() && breaker.enter().is_some());
    }
}
