//! The thread that writes records, in groups: while one group is being committed the next
//! one gathers, so that the cost of a commit is shared.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::filer::Filer;
use super::fold::Folder;
use super::gather::Calls;
use super::journal::{Lines, Moved};
use super::metrics::Metrics;
use super::mover::take_in;
use super::record::{Message, Mode, Waiting};
use crate::domain::Error;
use crate::domain::access::activity;
use crate::domain::clock::Clock;
use crate::domain::error::StoreError;
use crate::store::Store;

/// Calls in one commit.
const GROUP: usize = 4000;
/// How long the buffered mode lets a group gather.
const LINGER: Duration = Duration::from_millis(20);
/// How often the minutes that are over are looked for, at least.
const TICK: Duration = Duration::from_millis(500);
/// Calls that are not worth a detour.
const FEW: usize = 16;
/// After how long records whose answers have left are tried again.
const AGAIN: Duration = Duration::from_millis(200);

pub struct Writer {
    store: Store,
    clock: Arc<dyn Clock>,
    mode: Mode,
    waiting: Arc<Waiting>,
    metrics: Arc<Metrics>,
    filer: Arc<Filer>,
    folder: Folder,
    ticked: Instant,
}

/// What is committed together.
#[derive(Default)]
struct Group {
    calls: Calls,
    told: Vec<oneshot::Sender<bool>>,
    settled: Vec<oneshot::Sender<()>>,
    /// Calls that were refused meanwhile, because this took too long.
    late: usize,
    ends: bool,
}

impl Group {
    fn gather(first: Message, queue: &mut UnboundedReceiver<Message>) -> Self {
        let mut group = Self::default();
        let mut next = Some(first);
        while let Some(message) = next {
            group.add(message);
            let room = group.calls.len() < GROUP && !group.ends;
            next = if room { queue.try_recv().ok() } else { None };
        }
        group
    }

    fn add(&mut self, message: Message) {
        match message {
            Message::Heap => {}
            Message::Calls(calls, told) if told.is_closed() => self.late += calls.len(),
            Message::Calls(calls, told) => {
                self.calls.extend(calls);
                self.told.push(told);
            }
            Message::Settle(done) => self.settled.push(done),
            Message::End => self.ends = true,
        }
    }
}

impl Writer {
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        mode: Mode,
        waiting: Arc<Waiting>,
        metrics: Arc<Metrics>,
        filer: Arc<Filer>,
    ) -> Self {
        let (folder, ticked) = (Folder::default(), Instant::now());
        Self { store, clock, mode, waiting, metrics, filer, folder, ticked }
    }

    pub fn run(&mut self, mut queue: UnboundedReceiver<Message>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a timer of its own");
        loop {
            match runtime.block_on(async { timeout(TICK, queue.recv()).await }) {
                Ok(Some(first)) => {
                    if self.group(first, &mut queue) {
                        break;
                    }
                    if self.ticked.elapsed() >= TICK {
                        self.ticked = Instant::now();
                        self.idle();
                    }
                }
                Ok(None) => break,
                Err(_) => self.idle(),
            }
        }
        self.folder.close_all();
        self.idle();
    }

    /// Commits what waits; whether that was the last.
    fn group(&mut self, first: Message, queue: &mut UnboundedReceiver<Message>) -> bool {
        if matches!(first, Message::Heap) {
            std::thread::sleep(LINGER);
        }
        let Group { mut calls, told, settled, late, ends } = Group::gather(first, queue);
        calls.extend(self.waiting.take());
        let done = calls.len() + late;
        let committed = calls.len() == 0 || self.commit(calls);
        self.waiting.done(done);
        for told in told {
            // Nobody waits any more when it took too long.
            let _ = told.send(committed);
        }
        if !settled.is_empty() {
            self.idle();
        }
        for settled in settled {
            let _ = settled.send(());
        }
        ends
    }

    fn commit(&mut self, calls: Calls) -> bool {
        let (began, count) = (Instant::now(), calls.len());
        calls.folded.into_iter().for_each(|refused| self.folder.add(refused));
        let committed = match self.mode {
            _ if calls.lines.len() == 0 => true,
            Mode::Strict => self.write(&calls.lines),
            Mode::Buffered => self.insist(&calls.lines),
        };
        self.metrics.committed(count, began.elapsed(), committed);
        committed
    }

    /// The answers have left, so their records must be written; meanwhile the queue fills and
    /// holds up callers.
    fn insist(&mut self, calls: &Lines) -> bool {
        while !self.write(calls) {
            if self.waiting.is_over() {
                tracing::error!(calls = calls.len(), "the process ends, and these calls are not recorded");
                return false;
            }
            std::thread::sleep(AGAIN);
        }
        true
    }

    /// Few calls go into the record at once; of many, only the journal is waited for.
    fn write(&mut self, calls: &Lines) -> bool {
        let many = calls.len() > FEW || self.filer.unfiled() > 0;
        let written = match many && self.filer.takes_more() {
            true => self.filer.append(calls),
            false => self.write_through(calls),
        };
        told(written, calls.len())
    }

    fn write_through(&self, calls: &Lines) -> Result<(), Error> {
        let mut read = Moved::default();
        for batch in calls.batches() {
            read.read(batch).map_err(|cause| StoreError::Fault(cause.to_string()))?;
        }
        self.store.write(|tx| take_in(tx, &read))
    }

    /// Writes what is left over when nothing more comes.
    fn idle(&mut self) {
        let folded = self.folder.close_before(self.clock.now());
        if folded.is_empty() {
            return;
        }
        let written = self.store.write(|tx| activity::append(tx, &folded));
        if !told(written, folded.len()) {
            self.folder.keep(folded);
        }
    }
}

fn told(written: Result<(), Error>, calls: usize) -> bool {
    if let Err(cause) = &written {
        tracing::error!(%cause, calls, "calls could not be recorded");
    }
    written.is_ok()
}
