//! Verified tokens, kept while that is safe; see [`super`].

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use super::verify::Admission;

/// Tokens kept at most: some 100 MB. When it is full it starts over.
const MOST: usize = 100_000;

type Entries = HashMap<[u8; 32], Arc<Admission>, BuildHasherDefault<FirstBytes>>;

pub struct Memory {
    /// Changes of access that this process knows of.
    epoch: AtomicI64,
    /// Until when the memory may be used, in microseconds since `began`; 0 for not at all.
    lease: AtomicU64,
    /// Somebody asked lately.
    wanted: AtomicBool,
    entries: RwLock<Entries>,
    began: Instant,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            epoch: AtomicI64::new(0),
            lease: AtomicU64::new(0),
            wanted: AtomicBool::new(false),
            entries: RwLock::default(),
            began: Instant::now(),
        }
    }
}

impl Memory {
    /// A token verified before, if that still counts.
    pub fn get(&self, hash: &[u8; 32]) -> Option<Arc<Admission>> {
        if !self.wanted.load(Ordering::Relaxed) {
            self.wanted.store(true, Ordering::Relaxed);
        }
        // After the entry is read: a process that slept in between must not answer from it.
        let entry = self.entries.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()?;
        (self.now() < self.lease.load(Ordering::Acquire)).then_some(entry)
    }

    /// The epoch to note before loading what [`Self::keep`] is to keep.
    pub fn epoch(&self) -> i64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Keeps a token that was loaded after `epoch` was read, unless it moved since.
    pub fn keep(&self, epoch: i64, hash: [u8; 32], admission: Arc<Admission>) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if self.epoch() == epoch {
            if entries.len() >= MOST {
                entries.clear();
            }
            entries.insert(hash, admission);
        }
    }

    /// Forgets everything older than `epoch`. Under the lock, so that nothing old is kept after.
    pub fn advance(&self, epoch: i64) {
        if self.epoch() >= epoch {
            return;
        }
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if self.epoch.fetch_max(epoch, Ordering::AcqRel) < epoch {
            entries.clear();
        }
    }

    /// Microseconds of this process, by a clock that goes on while it is stopped.
    pub fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Tokens kept.
    pub fn len(&self) -> usize {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub fn lease_until(&self, until: u64) {
        self.lease.store(until, Ordering::Release);
    }

    /// Whether anybody asked since the last time this was called.
    pub fn was_wanted(&self) -> bool {
        self.wanted.swap(false, Ordering::Relaxed)
    }
}

/// The keys are SHA-256 already: their first bytes are as good as any hash of them.
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
