//! The thread that moves calls from the journal into the activity table. It moves many at once, because writing calls is
//! cheaper together with their neighbors in an index.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::encoding::{Decoded, Encoded};
use crate::domain::Error;
use crate::domain::access::activity;
use crate::domain::access::epochs::LeaseId;
use crate::domain::error::StoreError;
use crate::gate::threads;
use crate::store::access::journal::Journal;
use crate::store::{self, Store, Tx};

const FLUSH_INTERVAL: Duration = Duration::from_millis(500);
/// A flush is deferred while more calls than this arrive per interval, because larger flushes are cheaper per call.
const BUSY: usize = 2000;
/// The limits of that deferral, because readers wait for a flush.
const MAX_DEFERRED: usize = 500_000;
const MAX_DEFERRAL: Duration = Duration::from_secs(10);
const RETRY_INTERVAL: Duration = Duration::from_millis(200);
/// When the journal has this many calls, new ones go directly into the activity table.
const MAX_IN_JOURNAL: usize = 2_000_000;

enum Request {
    Flush(oneshot::Sender<()>),
    End,
}

pub struct Flusher {
    journal: Arc<Journal>,
    requests: Sender<Request>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Flusher {
    /// In a server, flushes the calls left by an earlier process and starts the thread. Does nothing in a command: it
    /// shows no calls, a running server flushes its own journal, and `token revoke` must not wait for a flush.
    pub fn start(store: &Store, lease: LeaseId, serves: bool) -> Result<Self, StoreError> {
        let journal = Arc::new(Journal::open(store, lease)?);
        let (requests, requested) = channel();
        let thread = match serves {
            true => Some(Self::spawn(store, &journal, requested)?),
            false => None,
        };
        Ok(Self { journal, requests, thread: Mutex::new(thread) })
    }

    fn spawn(
        store: &Store,
        journal: &Arc<Journal>,
        requested: Receiver<Request>,
    ) -> Result<JoinHandle<()>, StoreError> {
        let worker = Worker { store: store.for_bulk()?, journal: journal.clone() };
        match worker.flush() {
            Err(Error::Store(cause @ StoreError::Unusable(_))) => return Err(cause),
            flushed => drop(log_failure(flushed)),
        }
        Ok(threads::spawn("flusher", move || worker.run(&requested)))
    }

    pub fn in_journal(&self) -> usize {
        self.journal.calls()
    }

    pub fn has_room(&self) -> bool {
        self.in_journal() < MAX_IN_JOURNAL
    }

    pub fn append(&self, calls: &Encoded) -> Result<(), Error> {
        Ok(self.journal.append(calls.batches(), calls.len())?)
    }

    /// Waits until all calls appended so far are in the activity table or can't be moved there.
    pub async fn flush(&self) {
        if self.in_journal() == 0 {
            return;
        }
        let (reply, flushed) = oneshot::channel();
        if self.requests.send(Request::Flush(reply)).is_ok() {
            let _ = flushed.await;
        }
    }

    pub fn close(&self) {
        let _ = self.requests.send(Request::End);
        if let Some(thread) = self.thread.lock().take() {
            threads::join(thread);
        }
    }
}

/// Adds calls to the activity table and their last uses to the tokens. Existing calls stay unchanged.
pub fn add_calls(tx: &mut Tx<'_>, calls: &Decoded<'_>) -> Result<(), Error> {
    activity::append_calls(tx, calls.records(), &calls.uses())
}

struct Worker {
    store: Store,
    journal: Arc<Journal>,
}

impl Worker {
    fn run(&self, requests: &Receiver<Request>) {
        let (mut wait, mut before, mut flushed_at) = (FLUSH_INTERVAL, 0, Instant::now());
        loop {
            let request = match requests.recv_timeout(wait) {
                Ok(request) => Some(request),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    let now = self.journal.calls();
                    let arrived = now.saturating_sub(std::mem::replace(&mut before, now));
                    if flushed_at.elapsed() < MAX_DEFERRAL && self.may_defer(arrived, now) {
                        continue;
                    }
                    None
                }
            };
            wait = if log_failure(self.flush()) { FLUSH_INTERVAL } else { RETRY_INTERVAL };
            (before, flushed_at) = (self.journal.calls(), Instant::now());
            match request {
                Some(Request::Flush(reply)) => drop(reply.send(())),
                Some(Request::End) => return,
                None => {}
            }
        }
    }

    /// Never while other servers run: a server flushes only its own calls before it shows the log, so the others would
    /// miss deferred ones.
    fn may_defer(&self, arrived: usize, in_journal: usize) -> bool {
        arrived > BUSY && in_journal < MAX_DEFERRED && self.journal.is_alone().unwrap_or(false)
    }

    fn flush(&self) -> Result<(), Error> {
        let mut pass = self.journal.pass()?;
        loop {
            let batches = pass.take()?;
            if batches.is_empty() {
                return Ok(());
            }
            let (mut calls, mut unreadable) = (Decoded::default(), Vec::new());
            for batch in &batches {
                if let Err(cause) = calls.add(&batch.calls) {
                    tracing::error!(batch = batch.id, %cause, "could not decode a batch of calls; it is kept");
                    unreadable.push(batch);
                }
            }
            self.add(&calls)?;
            // If the process ends here, the calls are added again, which has no effect.
            pass.done(&batches, &unreadable)?;
        }
    }

    /// First assumes that all calls are new, because most are, and Postgres adds new ones at half the cost.
    fn add(&self, calls: &Decoded<'_>) -> Result<(), Error> {
        match self.store.write(|tx| activity::append_new_calls(tx, calls.records(), &calls.uses())) {
            Err(Error::Store(store::Error::Conflict(_))) => self.store.write(|tx| add_calls(tx, calls)),
            added => added,
        }
    }
}

/// Returns whether it succeeded.
fn log_failure(flushed: Result<(), Error>) -> bool {
    if let Err(cause) = &flushed {
        tracing::error!(%cause, "could not move calls into the activity table; retrying");
    }
    flushed.is_ok()
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

    fn worker(folder: &tempfile::TempDir) -> Worker {
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        let store = Store::open(Location::parse(&url).expect("a location")).expect("a store");
        let journal = Arc::new(Journal::open(&store, lease(1)).expect("a journal"));
        Worker { store, journal }
    }

    #[test]
    fn flushes_are_deferred_under_load_unless_another_server_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        let worker = worker(&folder);
        let hold = |lease| worker.store.write(|tx| epochs::take_lease(tx, lease, 0)).expect("a lease");
        hold(lease(1));
        assert!(worker.may_defer(BUSY + 1, 0));
        assert!(!worker.may_defer(BUSY, 0), "few arrived");
        assert!(!worker.may_defer(BUSY + 1, MAX_DEFERRED), "enough are in the journal");
        hold(lease(2));
        assert!(!worker.may_defer(BUSY + 1, 0), "another server would not find them");
        worker.store.write(|tx| epochs::release(tx, lease(2))).expect("no lease");
        assert!(worker.may_defer(BUSY + 1, 0));
    }

    #[test]
    fn unreadable_batches_are_kept_and_do_not_block_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let worker = worker(&folder);
        let without_calls = vec![crate::gate::record::encoding::VERSION];
        for batch in [without_calls.clone(), vec![0xff; 9], without_calls] {
            worker.journal.append(&[batch], 1).expect("on disk");
        }
        worker.flush().expect("a flush");
        assert_eq!(worker.journal.calls(), 0);
        assert!(worker.journal.pass().expect("a pass").take().expect("batches").is_empty());
        let next = Journal::open(&worker.store, lease(2)).expect("a journal");
        let kept = next.pass().expect("a pass").take().expect("batches");
        assert_eq!(kept.into_iter().map(|batch| batch.calls).collect::<Vec<_>>(), [vec![0xff; 9]]);
    }
}
