//! The thread that sees to it that calls are moved into the record, see [`super::mover`], and
//! where they are put until then.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::end;
use super::journal::Lines;
use super::mover::{Files, Mover, Record, Rows, Taking, Unfiled};
use crate::domain::Error;
use crate::domain::access::epochs::LeaseId;
use crate::domain::access::journal;
use crate::domain::error::StoreError;
use crate::store::{Location, Store};

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
/// After how long what could not be moved on is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// Calls the journal takes before it is left to catch up.
const MOST: usize = 2_000_000;

enum Wish {
    /// Somebody wants to see what was recorded until now.
    Settle(oneshot::Sender<()>),
    End,
}

/// Where calls are put.
enum Journal {
    /// Rows beside the record, by who wrote them.
    Rows(Store, LeaseId),
    Files(Arc<Taking>),
}

/// Puts calls on disk and moves them on.
pub struct Filer {
    journal: Journal,
    unfiled: Arc<Unfiled>,
    wishes: Sender<Wish>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Filer {
    /// Moves on what a process that ended left behind, and starts the thread.
    ///
    /// # Errors
    /// When there are files where calls are put, and they are none of this program's.
    pub fn start(store: Store, location: Location, writer: LeaseId) -> Result<Self, StoreError> {
        let (wishes, asked) = channel();
        let unfiled = Arc::new(Unfiled::default());
        let bulk = store.open_for_bulk(location.clone())?;
        let record = Record { store: bulk, writer, unfiled: unfiled.clone() };
        let (journal, mut mover) = if location.is_file() {
            let taking = Arc::new(Taking::new());
            let files = Files { record, location, taking: taking.clone(), resting: None };
            (Journal::Files(taking), Mover::Files(files))
        } else {
            (Journal::Rows(store, writer), Mover::Rows(Rows { record, after: 0 }))
        };
        match mover.move_all() {
            Err(Error::Store(cause @ StoreError::Unusable(_))) => return Err(cause),
            Err(cause) => told(&cause),
            Ok(()) => {}
        }
        let thread = std::thread::Builder::new()
            .name("filer".into())
            .spawn(move || run(&mut mover, &asked))
            .expect("the system starts a thread");
        Ok(Self { journal, unfiled, wishes, thread: Mutex::new(Some(thread)) })
    }

    /// Calls that are not moved yet.
    pub fn unfiled(&self) -> usize {
        self.unfiled.calls()
    }

    /// Whether there is room for calls.
    pub fn takes_more(&self) -> bool {
        let is_there = match &self.journal {
            Journal::Rows(..) => true,
            Journal::Files(taking) => taking.get().is_some(),
        };
        is_there && self.unfiled() < MOST
    }

    /// Puts calls on disk.
    pub fn append(&self, calls: &Lines) -> Result<(), Error> {
        self.unfiled.put(calls.len(), || self.put(calls.batches()))
    }

    fn put(&self, batches: &[Vec<u8>]) -> Result<(), Error> {
        match &self.journal {
            // A batch that is there twice is moved on once: a call has one id.
            Journal::Rows(store, writer) => store.write_in_one(|tx| journal::append(tx, *writer, batches)),
            Journal::Files(taking) => {
                let taking =
                    taking.get().ok_or_else(|| Error::out_of_reach("another process has the files"))?;
                Ok(taking.lock().append(batches)?)
            }
        }
    }

    /// Returns once everything appended until now is in the record, or cannot be moved there.
    pub async fn flush(&self) {
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

fn run(mover: &mut Mover, wishes: &Receiver<Wish>) {
    let (mut wait, mut before, mut moved) = (EVERY, 0, Instant::now());
    loop {
        let wish = wishes.recv_timeout(wait);
        match wish {
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout)
                if may_wait(mover.record(), &mut before) && moved.elapsed() < LONGEST =>
            {
                continue;
            }
            Err(RecvTimeoutError::Timeout) | Ok(_) => {}
        }
        wait = match mover.move_own() {
            Ok(()) => EVERY,
            Err(cause) => {
                told(&cause);
                AGAIN
            }
        };
        (before, moved) = (mover.record().unfiled.calls(), Instant::now());
        match wish {
            Ok(Wish::Settle(done)) => drop(done.send(())),
            Ok(Wish::End) => return,
            Err(_) => {}
        }
    }
}

/// Whether calls come so fast that it pays to let them gather.
fn may_wait(record: &Record, before: &mut usize) -> bool {
    let now = record.unfiled.calls();
    let came = now.saturating_sub(std::mem::replace(before, now));
    came > RUSH && now < ENOUGH && record.others().is_ok_and(|others| others.is_empty())
}

fn told(cause: &Error) {
    tracing::error!(%cause, "calls could not be moved into the record; that is tried again");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::access::epochs;

    fn lease(number: u8) -> LeaseId {
        LeaseId::new(Timestamp::from_micros(1), [number; 8])
    }

    #[test]
    fn many_calls_gather_unless_somebody_could_miss_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        let store = Store::open(Location::parse(&url).expect("a location")).expect("a store");
        let record = Record { store, writer: lease(1), unfiled: Arc::default() };
        let may_wait = |before: usize, now: usize| {
            record.unfiled.less(usize::MAX);
            record.unfiled.put(now, || Ok(())).expect("calls");
            may_wait(&record, &mut before.clone())
        };
        let hold = |lease| record.store.write(|tx| epochs::hold(tx, lease, 0)).expect("a lease");
        hold(record.writer);
        assert!(may_wait(0, RUSH + 1) && may_wait(RUSH, 2 * RUSH + 1));
        assert!(!may_wait(0, RUSH), "few came");
        assert!(!may_wait(ENOUGH - RUSH - 1, ENOUGH), "enough are there");
        hold(lease(2));
        assert!(!may_wait(0, RUSH + 1), "another server would not find them");
        record.store.write(|tx| epochs::release(tx, lease(2))).expect("no lease");
        assert!(may_wait(0, RUSH + 1));
    }
}
