//! The cache of verified tokens; [`gate`](crate::gate) explains when it can be used.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::RwLock;

use super::admission::Admission;

/// Some 100 MB. A full cache is emptied.
const MAX_TOKENS: usize = 100_000;

type Entries = HashMap<[u8; 32], Arc<Admission>, BuildHasherDefault<FirstBytes>>;

pub struct TokenCache {
    /// The latest change of access that this process knows of.
    epoch: AtomicI64,
    /// In microseconds since `began`; 0 without a lease.
    lease_end: AtomicU64,
    was_used: AtomicBool,
    entries: RwLock<Entries>,
    began: Instant,
}

impl Default for TokenCache {
    fn default() -> Self {
        Self {
            epoch: AtomicI64::new(0),
            lease_end: AtomicU64::new(0),
            was_used: AtomicBool::new(false),
            entries: RwLock::default(),
            began: Instant::now(),
        }
    }
}

impl TokenCache {
    pub fn get(&self, hash: &[u8; 32]) -> Option<Arc<Admission>> {
        if !self.was_used.load(Ordering::Relaxed) {
            self.was_used.store(true, Ordering::Relaxed);
        }
        let entry = self.entries.read().get(hash).cloned()?;
        // Checked last, because a process that was paused in between must not use the entry.
        (self.now() < self.lease_end.load(Ordering::Acquire)).then_some(entry)
    }

    /// Returns the epoch to read before loading a token for [`Self::insert`].
    pub fn epoch(&self) -> i64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Caches a token that was loaded after `epoch` was read, unless access has changed since.
    pub fn insert(&self, epoch: i64, hash: [u8; 32], admission: Arc<Admission>) {
        let mut entries = self.entries.write();
        if self.epoch() == epoch {
            if entries.len() >= MAX_TOKENS {
                entries.clear();
            }
            entries.insert(hash, admission);
        }
    }

    /// Drops entries older than `epoch`, under the lock, so that no older one is added later.
    pub fn advance(&self, epoch: i64) {
        if self.epoch() >= epoch {
            return;
        }
        let mut entries = self.entries.write();
        if self.epoch.fetch_max(epoch, Ordering::AcqRel) < epoch {
            entries.clear();
        }
    }

    /// Microseconds since this process started, by a clock that keeps running while the process is paused.
    pub fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    pub fn len(&self) -> usize {
        self.entries.read().len()
    }

    pub fn lease_until(&self, end: u64) {
        self.lease_end.store(end, Ordering::Release);
    }

    /// Whether a token was looked up since the previous call.
    pub fn was_used(&self) -> bool {
        self.was_used.swap(false, Ordering::Relaxed)
    }
}

/// Uses the first bytes of the SHA-256 keys as their hash.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}
