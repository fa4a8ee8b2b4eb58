//! Caches the recipients of addresses, because busy servers get most mail for a few addresses, and each lookup takes a
//! thread and a transaction.
//!
//! Entries live for at most a second, and every change in this process clears the cache. The transaction that stores a
//! message checks its alias again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::domain::mailroom::route::Recipient;

const LIFETIME: Duration = Duration::from_secs(1);
/// Some 2 MB.
const CAPACITY: usize = 10_000;

#[derive(Default)]
pub(super) struct RecipientCache(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    generation: u64,
    by_address: HashMap<String, (Recipient, Instant)>,
}

impl RecipientCache {
    pub fn get(&self, address: &str) -> Option<Recipient> {
        let entries = self.0.lock();
        let (recipient, since) = entries.by_address.get(address)?;
        (since.elapsed() < LIFETIME).then(|| recipient.clone())
    }

    /// The generation to read before the store, for [`Self::insert`].
    pub fn generation(&self) -> u64 {
        self.0.lock().generation
    }

    /// Does nothing if the cache was cleared since `generation` was read.
    pub fn insert(&self, generation: u64, recipient: &Recipient) {
        let mut entries = self.0.lock();
        if entries.generation != generation {
            return;
        }
        if entries.by_address.len() >= CAPACITY {
            entries.by_address.clear();
        }
        entries.by_address.insert(recipient.address.clone(), (recipient.clone(), Instant::now()));
    }

    pub fn clear(&self) {
        let mut entries = self.0.lock();
        entries.generation += 1;
        entries.by_address.clear();
    }
}
