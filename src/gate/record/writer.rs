//! The thread that commits calls in groups: while one group is being committed, the next one fills, so that calls share
//! the cost of a commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::encoding::{Decoded, Encoded};
use super::flush::{Flusher, add_calls};
use super::queue::{Backlog, Calls, Message};
use super::refusal_folding::FoldedRefusals;
use crate::domain::Error;
use crate::domain::access::activity;
use crate::domain::access::activity_mode::ActivityMode;
use crate::domain::clock::Clock;
use crate::domain::error::StoreError;
use crate::gate::metrics::Metrics;
use crate::store::Store;

const MAX_GROUP: usize = 4000;
const LINGER: Duration = Duration::from_millis(20);
const FOLD_INTERVAL: Duration = Duration::from_millis(500);
/// Groups up to this size go straight into the activity table.
const SMALL_GROUP: usize = 16;
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

pub struct Writer {
    store: Store,
    clock: Arc<dyn Clock>,
    mode: ActivityMode,
    backlog: Arc<Backlog>,
    metrics: Arc<Metrics>,
    flusher: Arc<Flusher>,
    folded: FoldedRefusals,
    folded_at: Instant,
}

#[derive(Default)]
struct Group {
    calls: Calls,
    replies: Vec<oneshot::Sender<bool>>,
    flushes: Vec<oneshot::Sender<()>>,
    /// Calls refused in the meantime, because their commit took too long.
    late: usize,
    is_last: bool,
}

impl Group {
    fn gather(first: Message, queue: &mut UnboundedReceiver<Message>) -> Self {
        let mut group = Self::default();
        let mut next = Some(first);
        while let Some(message) = next {
            group.add(message);
            let has_room = group.calls.len() < MAX_GROUP && !group.is_last;
            next = if has_room { queue.try_recv().ok() } else { None };
        }
        group
    }

    fn add(&mut self, message: Message) {
        match message {
            Message::Buffered => {}
            Message::Strict(calls, reply) if reply.is_closed() => self.late += calls.len(),
            Message::Strict(calls, reply) => {
                self.calls.extend(calls);
                self.replies.push(reply);
            }
            Message::Flush(reply) => self.flushes.push(reply),
            Message::End => self.is_last = true,
        }
    }
}

impl Writer {
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        mode: ActivityMode,
        backlog: Arc<Backlog>,
        metrics: Arc<Metrics>,
        flusher: Arc<Flusher>,
    ) -> Self {
        let (folded, folded_at) = (FoldedRefusals::default(), Instant::now());
        Self { store, clock, mode, backlog, metrics, flusher, folded, folded_at }
    }

    pub fn run(&mut self, mut queue: UnboundedReceiver<Message>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a timer");
        loop {
            match runtime.block_on(async { timeout(FOLD_INTERVAL, queue.recv()).await }) {
                Ok(Some(first)) => {
                    if self.write_group(first, &mut queue) {
                        break;
                    }
                    if self.folded_at.elapsed() >= FOLD_INTERVAL {
                        self.write_folded();
                    }
                }
                Ok(None) => break,
                Err(_) => self.write_folded(),
            }
        }
        self.folded.close_all();
        self.write_folded();
    }

    /// Returns whether this was the last group.
    fn write_group(&mut self, first: Message, queue: &mut UnboundedReceiver<Message>) -> bool {
        if matches!(first, Message::Buffered) {
            std::thread::sleep(LINGER);
        }
        let Group { mut calls, replies, flushes, late, is_last } = Group::gather(first, queue);
        calls.extend(self.backlog.take_buffered());
        let leaving = calls.len() + late;
        let committed = calls.len() == 0 || self.commit(calls);
        self.backlog.leave(leaving);
        for reply in replies {
            let _ = reply.send(committed);
        }
        if !flushes.is_empty() {
            self.write_folded();
        }
        for reply in flushes {
            let _ = reply.send(());
        }
        is_last
    }

    fn commit(&mut self, calls: Calls) -> bool {
        let (began, count) = (Instant::now(), calls.len());
        calls.folded.into_iter().for_each(|refused| self.folded.add(refused));
        let committed = match self.mode {
            _ if calls.encoded.len() == 0 => true,
            ActivityMode::Strict => self.write(&calls.encoded),
            ActivityMode::Buffered => self.write_until_done(&calls.encoded),
        };
        self.metrics.committed(count, began.elapsed(), committed);
        committed
    }

    /// Retries until the calls are written, because their responses have been sent. In the meantime the backlog fills up
    /// and slows callers down.
    fn write_until_done(&mut self, calls: &Encoded) -> bool {
        while !self.write(calls) {
            if self.backlog.has_given_up() {
                tracing::error!(calls = calls.len(), "the process ends before these calls are recorded");
                return false;
            }
            std::thread::sleep(RETRY_INTERVAL);
        }
        true
    }

    fn write(&mut self, calls: &Encoded) -> bool {
        let is_small = calls.len() <= SMALL_GROUP && self.flusher.in_journal() == 0;
        let written = match is_small || !self.flusher.has_room() {
            true => self.write_through(calls),
            false => self.flusher.append(calls),
        };
        log_failure(written, calls.len())
    }

    fn write_through(&self, calls: &Encoded) -> Result<(), Error> {
        let mut decoded = Decoded::default();
        for batch in calls.batches() {
            decoded.add(batch).map_err(|cause| StoreError::Fault(cause.to_string()))?;
        }
        self.store.write(|tx| add_calls(tx, &decoded))
    }

    fn write_folded(&mut self) {
        self.folded_at = Instant::now();
        let records = self.folded.close_before(self.clock.now());
        if records.is_empty() {
            return;
        }
        let written = self.store.write(|tx| activity::append(tx, &records));
        if !log_failure(written, records.len()) {
            self.folded.put_back(records);
        }
    }
}

/// Returns whether it succeeded.
fn log_failure(written: Result<(), Error>, calls: usize) -> bool {
    if let Err(cause) = &written {
        tracing::error!(%cause, calls, "could not record calls");
    }
    written.is_ok()
}
