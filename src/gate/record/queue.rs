use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::call::Call;
use super::encoding::{Encoded, record_of};
use crate::domain::access::activity::Record;

/// How long a call or a shutdown waits for an unresponsive store.
pub const STORE_TIMEOUT: Duration = Duration::from_secs(10);
/// The number of uncommitted calls at which new callers have to wait.
const MAX_WAITING: usize = 16_000;

pub enum Message {
    /// Calls in the [`Backlog`] whose responses have been sent.
    Buffered,
    /// Calls whose responses wait for the commit.
    Strict(Calls, oneshot::Sender<bool>),
    /// A page waits for the calls sent so far and the folded refusals of past minutes.
    Flush(oneshot::Sender<()>),
    End,
}

#[derive(Debug, Default)]
pub struct Calls {
    pub encoded: Encoded,
    /// Refusals that are folded into other records.
    pub folded: Vec<Record>,
}

impl Calls {
    pub fn add(&mut self, call: &Call<'_>, fold: bool) {
        match fold {
            true => self.folded.push(record_of(call)),
            false => self.encoded.add(call),
        }
    }

    pub fn extend(&mut self, more: Self) {
        self.encoded.extend(more.encoded);
        self.folded.extend(more.folded);
    }

    pub fn len(&self) -> usize {
        self.encoded.len() + self.folded.len()
    }
}

#[derive(Default)]
pub struct Backlog {
    waiting: AtomicUsize,
    buffered: Mutex<Calls>,
    committed: Notify,
    closing: OnceLock<Instant>,
}

impl Backlog {
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Adds a call to the backlog. Waits while it is full, so that callers slow down. Returns false on a
    /// timeout.
    pub async fn enter(&self) -> bool {
        if self.is_full() && Box::pin(timeout(STORE_TIMEOUT, self.until_room())).await.is_err() {
            return false;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn is_full(&self) -> bool {
        self.waiting() >= MAX_WAITING
    }

    async fn until_room(&self) {
        while self.is_full() {
            let committed = self.committed.notified();
            if self.is_full() {
                committed.await;
            }
        }
    }

    /// Returns whether the call is the first in the buffer.
    pub fn buffer(&self, call: &Call<'_>, fold: bool) -> bool {
        let mut buffered = self.buffered.lock();
        buffered.add(call, fold);
        buffered.len() == 1
    }

    pub fn take_buffered(&self) -> Calls {
        std::mem::take(&mut *self.buffered.lock())
    }

    pub fn leave(&self, calls: usize) {
        self.waiting.fetch_sub(calls, Ordering::Relaxed);
        self.committed.notify_waiters();
    }

    pub fn close(&self) {
        self.closing.get_or_init(Instant::now);
    }

    /// Whether the process is shutting down and has waited long enough for the store.
    pub fn has_given_up(&self) -> bool {
        self.closing.get().is_some_and(|since| since.elapsed() >= STORE_TIMEOUT)
    }
}
