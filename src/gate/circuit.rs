//! What keeps a service that is away from slowing every call down.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long nobody asks again after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// After a failure everybody is refused at once, but one after each pause: when that one
/// succeeds, everybody may again.
#[derive(Default)]
pub struct Circuit(Mutex<State>);

#[derive(Default)]
struct State {
    /// Failures so far. Many calls fail of one cause: only the first of an era counts.
    era: u64,
    /// When the next may try; nothing while all is well.
    again: Option<Instant>,
}

/// Refused without asking.
#[derive(Debug)]
pub struct Open;

impl Circuit {
    /// The era to ask in, for whoever may.
    pub fn enter(&self) -> Result<u64, Open> {
        let mut state = self.state();
        if let Some(again) = state.again {
            let now = Instant::now();
            if now < again {
                return Err(Open);
            }
            // Should this one never come back, another tries after the next pause.
            state.again = Some(now + PAUSE);
        }
        Ok(state.era)
    }

    pub fn is_era(&self, era: u64) -> bool {
        self.state().era == era
    }

    /// Whether all is well again only now.
    pub fn succeeded(&self, era: u64) -> bool {
        let mut state = self.state();
        state.era == era && state.again.take().is_some()
    }

    /// Whether all was well until now.
    pub fn failed(&self, era: u64) -> bool {
        let mut state = self.state();
        if state.era != era {
            return false;
        }
        state.era += 1;
        state.again.replace(Instant::now() + PAUSE).is_none()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tries_after_each_pause_until_one_succeeds() {
        let circuit = Circuit::default();
        let era = circuit.enter().unwrap();
        assert!(circuit.failed(era));
        assert!(!circuit.failed(era), "the same failure again");
        assert!(circuit.enter().is_err());
        std::thread::sleep(PAUSE);
        let era = circuit.enter().unwrap();
        assert!(circuit.enter().is_err(), "one at a time");
        assert!(!circuit.succeeded(era - 1), "an answer of before the failure");
        assert!(circuit.succeeded(era));
        assert!(!circuit.succeeded(era), "all was well already");
        assert!(circuit.enter().is_ok() && circuit.enter().is_ok());
    }
}
