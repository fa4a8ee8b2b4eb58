//! Keeps the lease that the token cache needs; see [`gate`](crate::gate).

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::token_cache::TokenCache;
use crate::domain::Result;
use crate::domain::access::epochs::{self, LEASE, LeaseId};
use crate::gate::threads;
use crate::store::Store;

const CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// In microseconds, like the lease.
const RENEW_INTERVAL: u64 = LEASE as u64 / 4;
/// After this many microseconds without a call, the lease is released and the epoch no longer checked.
const IDLE: u64 = 5_000_000;
/// After this time, all earlier leases have expired on any clock.
const EXPIRED: Duration = Duration::from_micros(LEASE as u64 + 10_000);

pub struct Lease {
    id: LeaseId,
    /// Dropping the sender ends the thread.
    thread: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

impl Lease {
    pub fn start(store: Store, cache: Arc<TokenCache>, id: LeaseId) -> Self {
        let (stop, stopped) = channel();
        let mut keeper = Keeper { store, cache, id, held: None, last_use: 0 };
        let thread = threads::spawn("lease", move || keeper.run(&stopped));
        Self { id, thread: Mutex::new(Some((stop, thread))) }
    }

    /// Waits until no other process can use a cache older than the committed `epoch`. Returns at the latest when all
    /// earlier leases have expired, even if the database becomes unavailable or its clock is set back.
    pub fn wait_for_others(&self, store: &Store, epoch: i64) {
        let since = Instant::now();
        let mut pause = Duration::from_millis(3);
        while since.elapsed() < EXPIRED {
            match store.read(|tx| epochs::others_behind(tx, self.id, epoch)) {
                Ok(false) => return,
                Ok(true) => {}
                Err(cause) => {
                    tracing::warn!(%cause, "could not check whether other instances know of a change");
                    pause = EXPIRED;
                }
            }
            std::thread::sleep(pause.min(EXPIRED.saturating_sub(since.elapsed())));
        }
    }

    pub fn close(&self) {
        if let Some((stop, thread)) = self.thread.lock().take() {
            drop(stop);
            threads::join(thread);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.close();
    }
}

struct Keeper {
    store: Store,
    cache: Arc<TokenCache>,
    id: LeaseId,
    /// The time of the last renewal, by the cache's clock, and its epoch.
    held: Option<(u64, i64)>,
    last_use: u64,
}

impl Keeper {
    fn run(&mut self, stopped: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(CHECK_INTERVAL) {
            if let Err(cause) = self.check() {
                // Without a renewal the lease expires, and every call reads the store.
                tracing::warn!(%cause, "could not check whether access has changed");
                self.held = None;
            }
        }
        self.cache.lease_until(0);
        let _ = self.release();
    }

    fn check(&mut self) -> Result<()> {
        let now = self.cache.now();
        if self.cache.was_used() {
            self.last_use = now;
        }
        if now.saturating_sub(self.last_use) > IDLE || self.last_use == 0 {
            return self.release();
        }
        let epoch = self.store.read_statement(epochs::current)?;
        self.cache.advance(epoch);
        match self.held {
            Some((since, seen)) if seen == epoch && now < since + RENEW_INTERVAL => Ok(()),
            _ => self.renew(now, epoch),
        }
    }

    /// `now` was read before the request to the store, so the lease ends no later here than there. The
    /// epoch is read again after the commit: a change committed before the lease could not see it, and one
    /// committed later waits for it.
    fn renew(&mut self, now: u64, epoch: i64) -> Result<()> {
        let id = self.id;
        self.store.write(|tx| epochs::take_lease(tx, id, epoch))?;
        self.cache.advance(self.store.read_statement(epochs::current)?);
        self.held = Some((now, epoch));
        self.cache.lease_until(now + LEASE as u64);
        Ok(())
    }

    fn release(&mut self) -> Result<()> {
        if self.held.take().is_some() {
            self.cache.lease_until(0);
            let id = self.id;
            self.store.write(|tx| epochs::release(tx, id))?;
        }
        Ok(())
    }
}
