//! Batches beside SQLite: two [files](CallFile). One takes new batches while the other one is moved
//! into the activity table; then they swap. One process at a time has them. The next one finds
//! what one that was killed had put on disk.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::call_file::{CallFile, open_file, unavailable};
use super::{Batch, Engine, Place, Reach};
use crate::store::backend::Location;
use crate::store::error::{Error, Result};
use crate::store::ids::LeaseId;

/// Added to the name of the database.
pub const SUFFIXES: [&str; 2] = ["-calls-1", "-calls-2"];

pub struct Files {
    location: Arc<Location>,
    writer: LeaseId,
    /// Empty while another process has the files.
    pair: OnceLock<Pair>,
}

struct Pair {
    appended: Mutex<CallFile>,
    taken: Mutex<CallFile>,
}

impl Files {
    /// # Errors
    /// When a file can't be opened, or was not written by this version.
    pub fn open(location: Arc<Location>, writer: LeaseId) -> Result<Self> {
        let this = Self { location, writer, pair: OnceLock::new() };
        this.pair()?;
        Ok(this)
    }

    fn pair(&self) -> Result<Option<&Pair>> {
        if self.pair.get().is_none()
            && let Some([appended, taken]) = open(&self.location, self.writer)?
        {
            let pair = Pair { appended: Mutex::new(appended), taken: Mutex::new(taken) };
            return Ok(Some(self.pair.get_or_init(|| pair)));
        }
        Ok(self.pair.get())
    }
}

impl Engine for Files {
    fn is_open(&self) -> bool {
        self.pair.get().is_some()
    }

    fn append(&self, batches: &[Vec<u8>]) -> Result<()> {
        match self.pair.get() {
            Some(pair) => pair.appended.lock().append(batches),
            None => Err(Error::Unavailable("another process has the files of calls".into())),
        }
    }

    fn begin_pass(&self) -> Result<Reach> {
        let Some(pair) = self.pair()? else { return Ok(Reach::All) };
        let mut taken = pair.taken.lock();
        if !taken.is_done() {
            return Ok(Reach::Rest);
        }
        taken.reset(self.writer)?;
        let mut appended = pair.appended.lock();
        if !appended.is_done() {
            std::mem::swap(&mut *appended, &mut *taken);
        }
        Ok(Reach::All)
    }

    fn next(&self, bytes: usize) -> Result<Vec<Batch>> {
        let Some(pair) = self.pair.get() else { return Ok(Vec::new()) };
        let batches = pair.taken.lock().next(bytes)?;
        Ok(batches.into_iter().map(|calls| Batch { calls, place: Place::File }).collect())
    }

    fn done(&self, batches: &[Batch], unreadable: &[&Batch]) -> Result<()> {
        let Some(pair) = self.pair.get() else { return Ok(()) };
        let mut taken = pair.taken.lock();
        if !unreadable.is_empty() {
            let copy = taken.copy_aside()?;
            tracing::error!(copy = %copy.display(), "the file with unreadable calls was copied");
        }
        taken.pass(batches.iter().map(|batch| &batch.calls[..]));
        if taken.is_done() {
            taken.reset(self.writer)?;
        }
        Ok(())
    }
}

/// Both files; `None` while another process has them.
fn open(location: &Location, writer: LeaseId) -> Result<Option<[CallFile; 2]>> {
    let [Some(first), Some(second)] = SUFFIXES.map(|name| location.beside(name)) else { return Ok(None) };
    let lock = open_file(&first)?;
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(cause)) => return Err(unavailable(&first, &cause)),
        Ok(()) => {}
    }
    let second_file = open_file(&second)?;
    sync_folder(&first).map_err(|cause| unavailable(&first, &cause))?;
    Ok(Some([CallFile::read(lock, first, writer)?, CallFile::read(second_file, second, writer)?]))
}

/// So that a new file survives a loss of power.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
