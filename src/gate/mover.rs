//! What moves calls from where they were put into the record, in bulk: neighbours in the
//! record's trees are written together, which costs a fraction of one after another.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::journal::Moved;
use crate::domain::Error;
use crate::domain::access::activity;
use crate::domain::access::epochs::LeaseId;
use crate::domain::access::journal::{self, Batch};
use crate::store::access::call_files::{self, CallFile};
use crate::store::{self, Location, Store, Tx};

/// Batches that are looked for together, and the bytes of batches after which no more are
/// moved on together: some 20,000 calls.
const BATCHES: i64 = 32;
const TOGETHER: usize = 5 << 19;

/// Where calls are before they are in the record.
pub enum Mover {
    Rows(Rows),
    Files(Files),
}

impl Mover {
    /// Moves on, in steps, what is there now: not what comes meanwhile, or it might not end.
    pub fn move_all(&mut self) -> Result<(), Error> {
        match self {
            Self::Rows(rows) => rows.move_all(&[]),
            Self::Files(files) => files.move_all(),
        }
    }

    /// The same but for calls of other servers, which move them themselves.
    pub fn move_own(&mut self) -> Result<(), Error> {
        match self {
            Self::Rows(rows) => rows.move_all(&rows.record.others()?),
            Self::Files(files) => files.move_all(),
        }
    }

    pub fn record(&self) -> &Record {
        match self {
            Self::Rows(rows) => &rows.record,
            Self::Files(files) => &files.record,
        }
    }
}

/// Where they are moved to.
pub struct Record {
    pub store: Store,
    pub writer: LeaseId,
    pub unfiled: Arc<Unfiled>,
}

impl Record {
    /// Other servers over the same record.
    pub fn others(&self) -> Result<Vec<LeaseId>, Error> {
        self.store.read(|tx| journal::others_at_work(tx, self.writer))
    }
}

/// Calls of this process that are not in the record yet.
#[derive(Default)]
pub struct Unfiled {
    calls: AtomicUsize,
    /// Held while some are being put on disk.
    putting: Mutex<()>,
}

impl Unfiled {
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Acquire)
    }

    /// Counts calls that `put` puts on disk, if it does.
    pub fn put(&self, calls: usize, put: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let _putting = self.putting.lock();
        // Counted before: whoever looks must not find them nowhere.
        self.calls.fetch_add(calls, Ordering::AcqRel);
        let done = put();
        if done.is_err() {
            self.less(calls);
        }
        done
    }

    /// What `look` finds, and how many calls are on disk in that moment.
    fn in_between<T>(&self, look: impl FnOnce() -> Result<T, Error>) -> Result<(T, usize), Error> {
        let _putting = self.putting.lock();
        Ok((look()?, self.calls()))
    }

    pub fn less(&self, calls: usize) {
        // A batch whose writing was told too late can be there twice, and was counted once.
        let fewer = |unfiled: usize| Some(unfiled.saturating_sub(calls));
        let _ = self.calls.fetch_update(Ordering::AcqRel, Ordering::Acquire, fewer);
    }
}

/// Puts calls into the record, and their last uses to the tokens.
pub fn take_in(tx: &mut Tx<'_>, calls: &Moved<'_>) -> Result<(), Error> {
    activity::append_calls(tx, calls.records(), &calls.uses())
}

/// Rows beside the record, of all servers.
pub struct Rows {
    pub record: Record,
    /// The last batch that was looked at and is not to be looked at again.
    pub after: i64,
}

impl Rows {
    fn move_all(&mut self, others: &[LeaseId]) -> Result<(), Error> {
        let unfiled = self.record.unfiled.clone();
        let (last, mut left) = unfiled.in_between(|| self.record.store.read(journal::last))?;
        loop {
            let batches = self.some(others, last)?;
            if batches.is_empty() {
                break;
            }
            let own = self.move_some(&batches)?;
            unfiled.less(own);
            left = left.saturating_sub(own);
        }
        // Of those that were there none is: somebody else moved the others.
        unfiled.less(left);
        Ok(())
    }

    /// The oldest batches up to `last`, as many as are moved on together.
    fn some(&self, others: &[LeaseId], last: i64) -> Result<Vec<Batch>, Error> {
        let (mut batches, mut bytes, mut after): (Vec<Batch>, _, _) = (Vec::new(), 0, self.after);
        while bytes < TOGETHER {
            let more = self.record.store.read(|tx| journal::oldest(tx, others, (after, last), BATCHES))?;
            let Some(newest) = more.last() else { break };
            after = newest.id;
            bytes += more.iter().map(|batch| batch.calls.len()).sum::<usize>();
            batches.extend(more);
        }
        Ok(batches)
    }

    /// How many of its own calls there were among them.
    fn move_some(&mut self, batches: &[Batch]) -> Result<usize, Error> {
        let (mut moved, mut ids, mut own) = (Moved::default(), Vec::with_capacity(batches.len()), 0);
        let mut after = self.after;
        for batch in batches {
            match moved.read(&batch.calls) {
                Ok(calls) => {
                    ids.push(batch.id);
                    own += if batch.writer == self.record.writer { calls } else { 0 };
                }
                Err(cause) => {
                    tracing::error!(batch = batch.id, %cause, "a batch of calls cannot be read; it is left where it is");
                    after = batch.id;
                }
            }
        }
        self.file(&moved, &ids)?;
        // Not before: those in front of a batch that cannot be read are tried again with it.
        self.after = after;
        Ok(own)
    }

    /// Puts calls into the record and forgets their batches. Where some are in the record
    /// already, a call that is there is the same call.
    fn file(&self, calls: &Moved<'_>, batches: &[i64]) -> Result<(), Error> {
        let store = &self.record.store;
        let all_new = store.write(|tx| {
            journal::remove(tx, batches)?;
            activity::append_new_calls(tx, calls.records(), &calls.uses())
        });
        match all_new {
            Err(Error::Store(store::Error::Conflict(_))) => {}
            done => return done,
        }
        store.write(|tx| {
            journal::remove(tx, batches)?;
            take_in(tx, calls)
        })
    }
}

/// The file that takes what comes; not there while another process has the files.
pub type Taking = OnceLock<Mutex<CallFile>>;

/// Files beside the record: one takes what comes, the other one is moved on.
pub struct Files {
    pub record: Record,
    pub location: Location,
    pub taking: Arc<Taking>,
    pub resting: Option<CallFile>,
}

impl Files {
    fn move_all(&mut self) -> Result<(), Error> {
        let (Some(taking), Some(resting)) = (self.taking.get(), &mut self.resting) else {
            return self.open();
        };
        move_file(&self.record, resting)?;
        {
            let mut taking = taking.lock();
            if !taking.is_done() {
                std::mem::swap(&mut *taking, resting);
            }
        }
        move_file(&self.record, resting)
    }

    /// Has the files once they hold nothing of before.
    fn open(&mut self) -> Result<(), Error> {
        let Some([mut taking, mut resting]) = call_files::open(&self.location, self.record.writer)? else {
            return Ok(());
        };
        move_file(&self.record, &mut taking)?;
        move_file(&self.record, &mut resting)?;
        self.resting = Some(resting);
        self.taking.get_or_init(|| Mutex::new(taking));
        Ok(())
    }
}

fn move_file(record: &Record, file: &mut CallFile) -> Result<(), Error> {
    let mut is_copied = false;
    loop {
        let batches = file.next(TOGETHER)?;
        if batches.is_empty() {
            return Ok(file.begin_anew(record.writer)?);
        }
        let (mut moved, mut calls) = (Moved::default(), 0);
        for batch in &batches {
            match moved.read(batch) {
                Ok(read) => calls += read,
                Err(_) if is_copied => {}
                Err(cause) => {
                    let copy = file.copy_aside()?;
                    is_copied = true;
                    tracing::error!(copy = %copy.display(), %cause, "a batch of calls cannot be read; its file was copied");
                }
            }
        }
        // The same again, should the process end before it has noted that they are there.
        record.store.write(|tx| take_in(tx, &moved))?;
        file.pass(&batches);
        record.unfiled.less(calls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Beside {
        folder: tempfile::TempDir,
        files: Files,
    }

    impl Beside {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let url = format!("sqlite:{}", folder.path().join("store.db").display());
            let location = Location::parse(&url).expect("a location");
            let store = Store::open(location.clone()).expect("a store");
            let record = Record { store, writer: LeaseId::from_bytes([1; 16]), unfiled: Arc::default() };
            Self { folder, files: Files { record, location, taking: Arc::default(), resting: None } }
        }

        fn append(&self, batch: Vec<u8>) {
            self.files.taking.get().expect("files").lock().append(&[batch]).expect("on disk");
        }

        fn is_empty(&self) -> bool {
            let files = self.files.taking.get().expect("files").lock().is_done();
            files && self.files.resting.as_ref().is_some_and(CallFile::is_done)
        }
    }

    #[test]
    fn what_cannot_be_read_is_kept_and_holds_up_nothing() {
        let mut beside = Beside::new();
        beside.files.move_all().expect("files");
        let without_calls = vec![1];
        for batch in [without_calls.clone(), vec![0xff; 9], without_calls] {
            beside.append(batch);
        }
        beside.files.move_all().expect("moved batches");
        assert!(beside.is_empty());
        let aside = ["-calls-1", "-calls-2"].map(|name| format!("store.db{name}.unread"));
        let kept = aside.iter().find_map(|name| std::fs::read(beside.folder.path().join(name)).ok());
        let kept = kept.expect("a copy");
        assert!(kept.windows(9).any(|bytes| bytes == [0xff; 9]));
    }
}
