//! Whom the addresses lead to that doors were named lately: where much mail comes, most is for
//! somebody who got some a moment ago, and asking the store takes a thread and a transaction.
//!
//! An address is remembered for a second at most, and none when anything is changed by way of
//! this process. The alias is looked at once more in the transaction that keeps the message.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::mailroom::receive::Recipient;

const WHILE: Duration = Duration::from_secs(1);
/// Addresses remembered at once: some 2 MB.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Recipients(Mutex<Known>);

#[derive(Default)]
struct Known {
    changes: u64,
    by_address: HashMap<String, (Recipient, Instant)>,
}

impl Recipients {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, address: &str) -> Option<Recipient> {
        let known = self.known();
        let (recipient, since) = known.by_address.get(address)?;
        (since.elapsed() < WHILE).then(|| recipient.clone())
    }

    /// What to hand to [`Self::keep`]; asked before the store is.
    pub fn changes(&self) -> u64 {
        self.known().changes
    }

    /// Remembers whom an address leads to, unless something was changed meanwhile.
    pub fn keep(&self, changes: u64, recipient: &Recipient) {
        let mut known = self.known();
        if known.changes != changes {
            return;
        }
        if known.by_address.len() >= MOST {
            known.by_address.clear();
        }
        known.by_address.insert(recipient.address.clone(), (recipient.clone(), Instant::now()));
    }

    /// Something was changed: where addresses lead may be another matter now.
    pub fn forget(&self) {
        let mut known = self.known();
        known.changes += 1;
        known.by_address.clear();
    }
}
