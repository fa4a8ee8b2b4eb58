//! The thread that writes records, in groups: while one group is being committed the next
//! one gathers, so that the cost of a commit is shared.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::fold::Folder;
use super::metrics::Metrics;
use super::record::{Call, Caller, Message, Mode, Waiting, row};
use crate::domain::Error;
use crate::domain::access::activity::{self, Record, TokenId, Use};
use crate::domain::clock::Clock;
use crate::store::Store;

/// Calls in one commit.
const GROUP: usize = 4000;
/// How long the buffered mode lets a group gather.
const LINGER: Duration = Duration::from_millis(20);
/// How often last uses are written, where writing them with their calls would cost too much.
const USES_EVERY: Duration = Duration::from_millis(500);
/// Tokens whose last use is written together with their calls.
const FEW: usize = 8;
/// After how long records whose answers have left are tried again.
const AGAIN: Duration = Duration::from_millis(200);

pub struct Writer {
    store: Store,
    clock: Arc<dyn Clock>,
    mode: Mode,
    waiting: Arc<Waiting>,
    metrics: Arc<Metrics>,
    /// The latest use of each token that is not written yet.
    uses: HashMap<TokenId, Use>,
    uses_written: Instant,
    folder: Folder,
}

/// What is committed together.
#[derive(Default)]
struct Group {
    calls: Vec<Call>,
    told: Vec<oneshot::Sender<bool>>,
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
            Message::Call(call) => self.calls.push(call),
            Message::Calls(calls, told) if told.is_closed() => self.late += calls.len(),
            Message::Calls(calls, told) => {
                self.calls.extend(calls);
                self.told.push(told);
            }
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
    ) -> Self {
        let (uses, folder) = (HashMap::new(), Folder::default());
        Self { store, clock, mode, waiting, metrics, uses, uses_written: Instant::now(), folder }
    }

    pub fn run(&mut self, mut queue: UnboundedReceiver<Message>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a timer of its own");
        loop {
            match runtime.block_on(async { timeout(USES_EVERY, queue.recv()).await }) {
                Ok(Some(first)) => {
                    if self.group(first, &mut queue) {
                        break;
                    }
                    if self.uses_written.elapsed() >= USES_EVERY {
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
        if self.mode == Mode::Buffered && !matches!(first, Message::End) {
            std::thread::sleep(LINGER);
        }
        let group = Group::gather(first, queue);
        let committed = group.calls.is_empty() || self.commit(&group.calls);
        self.waiting.done(group.calls.len() + group.late);
        for told in group.told {
            // Nobody waits any more when it took too long.
            let _ = told.send(committed);
        }
        group.ends
    }

    fn commit(&mut self, calls: &[Call]) -> bool {
        let mut records = Vec::with_capacity(calls.len());
        for call in calls {
            if call.status == 429 && !call.admitted {
                self.folder.add(call);
            } else {
                records.push(row(call));
            }
            self.note_use(call);
        }
        let began = Instant::now();
        let committed = match self.mode {
            Mode::Strict => self.write(&records),
            Mode::Buffered => self.insist(&records),
        };
        self.metrics.committed(calls.len(), began.elapsed(), committed);
        committed
    }

    /// The answers have left, so their records must be written; meanwhile the queue fills and
    /// holds up callers.
    fn insist(&mut self, records: &[Record]) -> bool {
        while !self.write(records) {
            if self.waiting.is_over() {
                tracing::error!(calls = records.len(), "the process ends, and these calls are not recorded");
                return false;
            }
            std::thread::sleep(AGAIN);
        }
        true
    }

    /// Writes what is left over when nothing more comes.
    fn idle(&mut self) {
        let folded = self.folder.close_before(self.clock.now());
        if (!folded.is_empty() || !self.uses.is_empty()) && !self.write(&folded) {
            self.folder.keep(folded);
        }
    }

    fn write(&mut self, records: &[Record]) -> bool {
        let due = self.uses.len() <= FEW || self.uses_written.elapsed() >= USES_EVERY;
        let mut uses: Vec<Use> = if due { self.uses.values().cloned().collect() } else { Vec::new() };
        // In one order always, so that writers of several instances never wait for each other.
        uses.sort_by_key(|each| each.token);
        let written: Result<(), Error> = self.store.write(|tx| activity::append(tx, records, &uses));
        match written {
            Ok(()) if due => {
                self.uses.clear();
                self.uses_written = Instant::now();
                true
            }
            Ok(()) => true,
            Err(cause) => {
                tracing::error!(%cause, calls = records.len(), "calls could not be recorded");
                false
            }
        }
    }

    fn note_use(&mut self, call: &Call) {
        let Caller::Token(token) = call.caller else { return };
        if !call.admitted || self.uses.get(&token).is_some_and(|seen| seen.at >= call.at) {
            return;
        }
        let ip = call.ip.map(|ip| ip.to_string());
        self.uses.insert(token, Use { token, at: call.at, ip, agent: call.agent.clone() });
    }
}
