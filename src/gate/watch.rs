//! The thread that holds the lease and looks whether access has changed; see [`super`].

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::end;
use super::memory::Memory;
use crate::domain::Result;
use crate::domain::access::epochs::{self, LEASE, LeaseId};
use crate::store::Store;

/// How often the epoch is looked at while calls come in.
const LOOK: Duration = Duration::from_millis(20);
/// How often a lease is prolonged, in microseconds.
const PROLONG: u64 = LEASE as u64 / 4;
/// Without a call for so long, the lease is given back and nothing is asked any more.
const IDLE: u64 = 5_000_000;

/// After so long on any clock that runs, a lease of before is over.
const OVER: Duration = Duration::from_micros(LEASE as u64 + 10_000);

pub struct Watch {
    lease: LeaseId,
    /// Dropping the sender ends the thread.
    thread: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

impl Watch {
    pub fn start(store: Store, memory: Arc<Memory>, lease: LeaseId) -> Self {
        let (stop, stopped) = channel();
        let mut watcher = Watcher { store, memory, lease, held: None, wanted: 0 };
        let thread = std::thread::Builder::new()
            .name("gate-watch".into())
            .spawn(move || watcher.run(&stopped))
            .expect("the system starts a thread");
        Self { lease, thread: Mutex::new(Some((stop, thread))) }
    }

    /// Returns when no other process can answer out of a memory older than `epoch`, which was
    /// committed just now. After the time of a lease that is so even if the database's clock
    /// was set back, or the database went away.
    pub fn wait_for_others(&self, store: &Store, epoch: i64) {
        let since = Instant::now();
        let mut pause = Duration::from_millis(3);
        while since.elapsed() < OVER {
            match store.read(|tx| epochs::others_behind(tx, self.lease, epoch)) {
                Ok(false) => return,
                Ok(true) => {}
                Err(cause) => {
                    tracing::warn!(%cause, "others cannot be asked whether they know of a change");
                    pause = OVER;
                }
            }
            std::thread::sleep(pause.min(OVER.saturating_sub(since.elapsed())));
        }
    }

    /// Gives the lease back; from here on every call asks the store.
    pub fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        end(thread.map(|(stop, thread)| {
            drop(stop);
            thread
        }));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.close();
    }
}

struct Watcher {
    store: Store,
    memory: Arc<Memory>,
    lease: LeaseId,
    /// When the lease was last asked for, on the memory's clock, and the epoch it names.
    held: Option<(u64, i64)>,
    wanted: u64,
}

impl Watcher {
    fn run(&mut self, stopped: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK) {
            if let Err(cause) = self.look() {
                // Not prolonged, the lease ends by itself, and every call asks the store.
                tracing::warn!(%cause, "the gate cannot see whether access has changed");
                self.held = None;
            }
        }
        self.memory.lease_until(0);
        let _ = self.release();
    }

    fn look(&mut self) -> Result<()> {
        let now = self.memory.now();
        if self.memory.was_wanted() {
            self.wanted = now;
        }
        if now.saturating_sub(self.wanted) > IDLE || self.wanted == 0 {
            return self.release();
        }
        let epoch = self.store.read_in_one(epochs::current)?;
        self.memory.advance(epoch);
        match self.held {
            Some((since, seen)) if seen == epoch && now < since + PROLONG => Ok(()),
            _ => self.hold(now, epoch),
        }
    }

    /// The lease is counted from before the store was asked: it can only end earlier here
    /// than there. The epoch is read once more after the commit: a change that was committed
    /// before could not see the lease, one committed later waits for it.
    fn hold(&mut self, now: u64, epoch: i64) -> Result<()> {
        let lease = self.lease;
        self.store.write(|tx| epochs::hold(tx, lease, epoch))?;
        self.memory.advance(self.store.read_in_one(epochs::current)?);
        self.held = Some((now, epoch));
        self.memory.lease_until(now + LEASE as u64);
        Ok(())
    }

    fn release(&mut self) -> Result<()> {
        if self.held.take().is_some() {
            self.memory.lease_until(0);
            let lease = self.lease;
            self.store.write(|tx| epochs::release(tx, lease))?;
        }
        Ok(())
    }
}
