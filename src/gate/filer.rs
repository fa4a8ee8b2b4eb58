//! The thread that moves calls from the journal into the record, in bulk: neighbours in the
//! record's trees are written together, which costs a fraction of one after another.

use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::end;
use super::journal::{Lines, Moved};
use crate::domain::Error;
use crate::domain::access::activity;
use crate::domain::access::epochs::LeaseId;
use crate::domain::access::journal::{self, Batch};
use crate::store::{self, Store, Tx};

/// How often it is seen to whether calls are to be moved on, unless somebody wants to see them.
const EVERY: Duration = Duration::from_millis(500);
/// While more calls than this come within [`EVERY`], those of before stay where they are: the
/// more there are at once, the less each costs, and what is left of the machine is for calls.
/// Only while no other server is at work: this one settles before it shows the record to
/// somebody, and another would not find the latest calls there.
const RUSH: usize = 2000;
/// Calls that are moved on all the same, as more of them would keep whoever wants to see them
/// waiting; and how long they may stay: a command beside a server settles nothing.
const ENOUGH: usize = 500_000;
const LONGEST: Duration = Duration::from_secs(10);
/// Batches that are looked for together, and the bytes of batches after which no more are
/// moved on together: some 20,000 calls.
const BATCHES: i64 = 32;
const TOGETHER: usize = 5 << 19;
/// After how long what could not be moved on is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// Calls the journal takes before it is left to catch up.
const MOST: usize = 2_000_000;

enum Wish {
    /// Somebody wants to see what was recorded until now.
    Settle(oneshot::Sender<()>),
    End,
}

/// Writes the journal and moves it on.
pub struct Filer {
    journal: Store,
    writer: LeaseId,
    /// Calls in the journal.
    unfiled: Arc<AtomicUsize>,
    wishes: Sender<Wish>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Filer {
    /// Moves on what a process that ended left behind, and starts the thread.
    pub fn start(journal: Store, bulk: Store, writer: LeaseId) -> Self {
        let (wishes, asked) = channel();
        let unfiled = Arc::new(AtomicUsize::new(0));
        let mut mover = Mover { journal: journal.clone(), bulk, writer, after: 0, unfiled: unfiled.clone() };
        if let Err(cause) = mover.move_all(&[]) {
            tracing::error!(%cause, "calls of before could not be moved into the record; that is tried again");
        }
        let thread = std::thread::Builder::new()
            .name("filer".into())
            .spawn(move || mover.run(&asked))
            .expect("the system starts a thread");
        Self { journal, writer, unfiled, wishes, thread: Mutex::new(Some(thread)) }
    }

    /// Calls in the journal.
    pub fn unfiled(&self) -> usize {
        self.unfiled.load(Ordering::Acquire)
    }

    /// Whether the journal has room.
    pub fn takes_more(&self) -> bool {
        self.unfiled() < MOST
    }

    /// Puts calls on disk.
    pub fn append(&self, calls: &Lines) -> Result<(), Error> {
        // Counted before: whoever looks must not find them nowhere.
        self.unfiled.fetch_add(calls.len(), Ordering::AcqRel);
        let whole = self.journal.is_file().then(|| calls.in_one());
        let batches = whole.as_ref().map_or(calls.batches(), slice::from_ref);
        // A batch that is there twice is moved on once: a call has one id.
        let appended = self.journal.write_in_one(|tx| journal::append(tx, self.writer, batches));
        if appended.is_err() {
            self.unfiled.fetch_sub(calls.len(), Ordering::AcqRel);
        }
        appended
    }

    /// Returns once everything appended until now is in the record, or cannot be moved there.
    pub async fn settle(&self) {
        if self.unfiled() == 0 {
            return;
        }
        let (done, settled) = oneshot::channel();
        if self.wishes.send(Wish::Settle(done)).is_ok() {
            let _ = settled.await;
        }
    }

    /// Moves everything on and ends the thread.
    pub fn close(&self) {
        let _ = self.wishes.send(Wish::End);
        end(self.thread.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

struct Mover {
    journal: Store,
    bulk: Store,
    writer: LeaseId,
    /// The last batch that was looked at and is not to be looked at again.
    after: i64,
    unfiled: Arc<AtomicUsize>,
}

impl Mover {
    fn run(&mut self, wishes: &Receiver<Wish>) {
        let (mut wait, mut before, mut moved) = (EVERY, 0, Instant::now());
        loop {
            let wish = wishes.recv_timeout(wait);
            if wish.is_err() {
                self.tidy();
            }
            match wish {
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if self.may_wait(&mut before) && moved.elapsed() < LONGEST => {
                    continue;
                }
                Err(RecvTimeoutError::Timeout) | Ok(_) => {}
            }
            wait = match self.others().and_then(|others| self.move_all(&others)) {
                Ok(()) => EVERY,
                Err(cause) => {
                    tracing::error!(%cause, "calls could not be moved into the record; that is tried again");
                    AGAIN
                }
            };
            (before, moved) = (self.unfiled.load(Ordering::Acquire), Instant::now());
            match wish {
                Ok(Wish::Settle(done)) => drop(done.send(())),
                Ok(Wish::End) => return,
                Err(_) => {}
            }
        }
    }

    /// So that the writer of the journal does not have to, while callers wait.
    fn tidy(&self) {
        if let Err(cause) = self.journal.tidy() {
            tracing::warn!(%cause, "the journal of calls stays long");
        }
    }

    /// Whether calls come so fast that it pays to let them gather.
    fn may_wait(&self, before: &mut usize) -> bool {
        let now = self.unfiled.load(Ordering::Acquire);
        let came = now.saturating_sub(std::mem::replace(before, now));
        came > RUSH && now < ENOUGH && self.others().is_ok_and(|others| others.is_empty())
    }

    fn others(&self) -> Result<Vec<LeaseId>, Error> {
        self.bulk.read(|tx| journal::others_at_work(tx, self.writer))
    }

    /// Moves on, in steps, what is there now: not what comes meanwhile, or it might not end.
    fn move_all(&mut self, others: &[LeaseId]) -> Result<(), Error> {
        let last = self.journal.read(journal::last)?;
        if last < self.after {
            // Ids began anew: somebody removed what could not be read.
            self.after = 0;
        }
        loop {
            let batches = self.some(others, last)?;
            if batches.is_empty() {
                return Ok(());
            }
            self.move_some(&batches)?;
        }
    }

    /// The oldest batches up to `last`, as many as are moved on together.
    fn some(&self, others: &[LeaseId], last: i64) -> Result<Vec<Batch>, Error> {
        let (mut batches, mut bytes, mut after): (Vec<Batch>, _, _) = (Vec::new(), 0, self.after);
        while bytes < TOGETHER {
            let more = self.journal.read(|tx| journal::oldest(tx, others, (after, last), BATCHES))?;
            let Some(newest) = more.last() else { break };
            after = newest.id;
            bytes += more.iter().map(|batch| batch.calls.len()).sum::<usize>();
            batches.extend(more);
        }
        Ok(batches)
    }

    fn move_some(&mut self, batches: &[Batch]) -> Result<(), Error> {
        let (mut moved, mut ids, mut own) = (Moved::default(), Vec::with_capacity(batches.len()), 0);
        let mut after = self.after;
        for batch in batches {
            match moved.read(&batch.calls) {
                Ok(calls) => {
                    ids.push(batch.id);
                    own += if batch.writer == self.writer { calls } else { 0 };
                }
                Err(cause) => {
                    tracing::error!(batch = batch.id, %cause, "a batch of calls cannot be read; it is left where it is");
                    after = batch.id;
                }
            }
        }
        self.file(&moved, &ids)?;
        // A batch whose writing was told too late can be there twice, and was counted once.
        let fewer = |unfiled: usize| Some(unfiled.saturating_sub(own));
        let _ = self.unfiled.fetch_update(Ordering::AcqRel, Ordering::Acquire, fewer);
        // Not before: those in front of a batch that cannot be read are tried again with it.
        self.after = after;
        Ok(())
    }

    /// Puts calls into the record and forgets their batches: at once in one store. With two of
    /// them, or where some are in the record already, a call that is there is the same call.
    fn file(&self, calls: &Moved<'_>, batches: &[i64]) -> Result<(), Error> {
        let at_once = || {
            self.bulk.write(|tx| {
                journal::remove(tx, batches)?;
                activity::append_new_calls(tx, calls.records(), &calls.uses())
            })
        };
        if !self.bulk.is_file() {
            match at_once() {
                Err(Error::Store(store::Error::Conflict(_))) => {}
                done => return done,
            }
        }
        self.bulk.write(|tx| take_in(tx, calls))?;
        self.journal.write(|tx| journal::remove(tx, batches))
    }
}

/// Puts calls into the record, and their last uses to the tokens.
pub fn take_in(tx: &mut Tx<'_>, calls: &Moved<'_>) -> Result<(), Error> {
    activity::append_calls(tx, calls.records(), &calls.uses())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::access::epochs;
    use crate::store::Location;

    fn lease(number: u8) -> LeaseId {
        LeaseId::new(Timestamp::from_micros(1), [number; 8])
    }

    fn mover(folder: &tempfile::TempDir) -> Mover {
        let location = Location::parse(&format!("sqlite:{}", folder.path().join("store.db").display()));
        let location = location.expect("a location");
        let bulk = Store::open(location.clone()).expect("a store");
        let journal = bulk.open_journal(&location).expect("a journal");
        Mover { journal, bulk, writer: lease(1), after: 0, unfiled: Arc::default() }
    }

    #[test]
    fn many_calls_gather_unless_somebody_could_miss_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let mover = mover(&folder);
        let may_wait = |before: usize, now: usize| {
            mover.unfiled.store(now, Ordering::Release);
            mover.may_wait(&mut before.clone())
        };
        let hold = |lease| mover.bulk.write(|tx| epochs::hold(tx, lease, 0)).expect("a lease");
        hold(mover.writer);
        assert!(may_wait(0, RUSH + 1) && may_wait(RUSH, 2 * RUSH + 1));
        assert!(!may_wait(0, RUSH), "few came");
        assert!(!may_wait(ENOUGH - RUSH - 1, ENOUGH), "enough are there");
        hold(lease(2));
        assert!(!may_wait(0, RUSH + 1), "another server would not find them");
        mover.bulk.write(|tx| epochs::release(tx, lease(2))).expect("no lease");
        assert!(may_wait(0, RUSH + 1));
    }

    /// Keeps batches, moves on what can be read, and tells the ids of those that are left.
    fn left_of(mover: &mut Mover, batches: &[Vec<u8>]) -> Vec<i64> {
        mover.journal.write(|tx| journal::append(tx, mover.writer, batches)).expect("batches");
        mover.move_all(&[]).expect("moved batches");
        let left = mover.journal.read(|tx| journal::oldest(tx, &[], (0, i64::MAX), 9));
        left.expect("batches").iter().map(|batch| batch.id).collect()
    }

    #[test]
    fn what_cannot_be_read_holds_up_nothing_even_when_ids_begin_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut mover = mover(&folder);
        let (broken, fine) = (vec![0xff; 9], Lines::default().in_one());
        assert_eq!(left_of(&mut mover, &[fine.clone(), broken, fine.clone()]), [2]);
        assert_eq!(left_of(&mut mover, std::slice::from_ref(&fine)), [2]);
        mover.journal.write(|tx| journal::remove(tx, &[2])).expect("an empty journal");
        assert!(left_of(&mut mover, &[fine]).is_empty());
    }
}
