//! Calls that are on disk and not in the activity table yet: batches of bytes, in [files] beside
//! SQLite's and in [rows] of Postgres.

mod call_file;
pub mod copy;
pub mod files;
mod rows;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::store::Store;
use crate::store::access::leases;
use crate::store::error::Result;
use crate::store::ids::LeaseId;
use files::Files;
use rows::Rows;

/// Bytes of batches that are taken together: some 20,000 calls.
const TAKEN: usize = 5 << 19;

/// One thread appends while another takes.
pub struct Journal {
    engine: Box<dyn Engine>,
    store: Store,
    writer: LeaseId,
    /// Calls of this process in it.
    calls: AtomicUsize,
    /// Held while batches are put on disk.
    appending: Mutex<()>,
}

/// Gives out what is in the journal at one moment, and not what is added meanwhile: so it ends.
pub struct Pass<'j> {
    journal: &'j Journal,
    reach: Reach,
    /// Calls of this process in the journal when it began.
    calls: usize,
}

/// What a pass gives out.
pub enum Reach {
    /// Everything appended before it began.
    All,
    /// What an earlier pass left.
    Rest,
}

pub struct Batch {
    pub calls: Vec<u8>,
    place: Place,
}

enum Place {
    Row(i64),
    File,
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Row(id) => write!(f, "row {id} of call_batches"),
            Place::File => f.write_str("in a file beside the store"),
        }
    }
}

/// Where batches are.
trait Engine: Send + Sync {
    /// Whether batches can be appended now.
    fn is_open(&self) -> bool;

    fn append(&self, batches: &[Vec<u8>]) -> Result<()>;

    /// Called while nothing is appended.
    fn begin_pass(&self) -> Result<Reach>;

    /// The next batches of the pass; none at its end.
    fn next(&self, bytes: usize) -> Result<Vec<Batch>>;

    /// Forgets batches, except unreadable ones, which are kept aside.
    fn done(&self, batches: &[Batch], unreadable: &[&Batch]) -> Result<()>;
}

impl Journal {
    /// # Errors
    /// [`Unusable`](crate::store::Error::Unusable) when this version did not write it.
    pub fn open(store: &Store, writer: LeaseId) -> Result<Self> {
        let engine: Box<dyn Engine> = match store.is_file() {
            true => Box::new(Files::open(store.location.clone(), writer)?),
            false => Box::new(Rows::new(store.clone(), writer)),
        };
        let (store, calls) = (store.clone(), AtomicUsize::new(0));
        Ok(Self { engine, store, writer, calls, appending: Mutex::default() })
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Acquire)
    }

    /// Whether batches can be appended now: not while another process has the files.
    pub fn is_open(&self) -> bool {
        self.engine.is_open()
    }

    /// Whether no other server is at work on the same store.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn is_alone(&self) -> Result<bool> {
        Ok(self.store.read(|tx| leases::others_at_work(tx, self.writer))?.is_empty())
    }

    /// Puts batches on disk. If that fails they can be there all the same.
    ///
    /// # Errors
    /// [`Unavailable`](crate::store::Error::Unavailable) when the disk is full or the store away.
    pub fn append(&self, batches: &[Vec<u8>], calls: usize) -> Result<()> {
        let _appending = self.appending.lock();
        // Counted before, so that a reader never misses calls that are on disk.
        self.calls.fetch_add(calls, Ordering::AcqRel);
        self.engine.append(batches).inspect_err(|_| self.forget(calls))
    }

    /// One thread at a time.
    ///
    /// # Errors
    /// When the disk or the store is away.
    pub fn pass(&self) -> Result<Pass<'_>> {
        let _appending = self.appending.lock();
        Ok(Pass { reach: self.engine.begin_pass()?, calls: self.calls(), journal: self })
    }

    fn forget(&self, calls: usize) {
        // Never below zero: a batch whose writing failed too late can be there and not count.
        let fewer = |known: usize| Some(known.saturating_sub(calls));
        let _ = self.calls.fetch_update(Ordering::AcqRel, Ordering::Acquire, fewer);
    }
}

impl Pass<'_> {
    /// The next batches to move into the activity table, oldest first; none at the end.
    ///
    /// # Errors
    /// When the disk or the store is away.
    pub fn take(&mut self) -> Result<Vec<Batch>> {
        loop {
            let batches = self.journal.engine.next(TAKEN)?;
            if !batches.is_empty() {
                return Ok(batches);
            }
            if matches!(self.reach, Reach::All) {
                self.journal.forget(std::mem::take(&mut self.calls));
                return Ok(batches);
            }
            *self = self.journal.pass()?;
        }
    }

    /// Forgets batches that are in the activity table. Unreadable ones are kept.
    ///
    /// # Errors
    /// When the disk or the store is away: they are taken again then.
    pub fn done(&self, batches: &[Batch], unreadable: &[&Batch]) -> Result<()> {
        self.journal.engine.done(batches, unreadable)
    }
}
