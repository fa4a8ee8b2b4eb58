//! The record of every call, written by one thread in groups.
//!
//! Each worker thread gathers the calls that end in one turn of its event loop and sends
//! them as one message with one answer, so that waking costs little however many wait. While
//! one group is being committed the next one gathers: the cost of a commit is shared.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, oneshot};

use super::fold::Folder;
use crate::domain::access::activity::{self, ActivityId, ActivityKind, ActorKind, Record, TokenId, Use};
use crate::domain::clock::Clock;
use crate::domain::people::teams::TeamId;
use crate::domain::people::users::UserId;
use crate::domain::{Error, RequestId, Timestamp};
use crate::store::Store;

/// When an answer may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Once its record is on disk.
    Strict,
    /// At once; its record is on disk within 50 ms, and what a crash can lose is that.
    Buffered,
}

/// A call and what came of it.
#[derive(Clone, Debug)]
pub struct Call {
    pub team: TeamId,
    pub caller: Caller,
    pub request: RequestId,
    pub at: Timestamp,
    pub method: &'static str,
    /// The route's template, never the path: a path can hold what is nobody's business.
    pub route: String,
    pub status: u16,
    pub took: Duration,
    pub ip: Option<IpAddr>,
    pub agent: Option<String>,
    /// Whether the gate let it in; only then it counts as a use and against a limit.
    pub admitted: bool,
}

#[derive(Clone, Debug)]
pub enum Caller {
    Token(TokenId),
    Person { id: UserId, label: String },
}

/// The record could not be committed, so the answer it belongs to must not leave.
#[derive(Debug)]
pub struct NotRecorded;

/// Calls in one commit, and calls not yet committed before callers are made to wait.
const GROUP: usize = 4000;
const WAITING: usize = 16_000;
/// How long the buffered mode lets a group gather.
const LINGER: Duration = Duration::from_millis(20);
/// How often last uses are written, where writing them with their calls would cost too much.
const USES_EVERY: Duration = Duration::from_millis(500);
/// Tokens whose last use is written together with their calls.
const FEW: usize = 8;

struct Batch {
    calls: Vec<Call>,
    committed: oneshot::Sender<bool>,
}

/// The writer. Dropping it writes what waits, and ends it.
pub struct Recorder {
    queue: Option<mpsc::UnboundedSender<Batch>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    mode: Mode,
    waiting: Arc<Waiting>,
}

/// Calls sent and not yet committed.
#[derive(Default)]
struct Waiting {
    calls: AtomicUsize,
    fewer: Notify,
}

impl Recorder {
    pub fn start(store: Store, clock: Arc<dyn Clock>, mode: Mode) -> Self {
        let (queue, batches) = mpsc::unbounded_channel();
        let waiting = Arc::new(Waiting::default());
        let mut writer = Writer::new(store, clock, mode, waiting.clone());
        let thread = std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || writer.run(batches))
            .expect("the system starts a thread");
        Self { queue: Some(queue), thread: Mutex::new(Some(thread)), mode, waiting }
    }

    /// Returns once the call's record is on disk, or may be left to the writer.
    ///
    /// # Errors
    /// [`NotRecorded`] when the store would not take it.
    pub async fn record(&self, call: Call) -> Result<(), NotRecorded> {
        // A full queue slows callers down; nothing is dropped.
        while self.waiting.calls.load(Ordering::Relaxed) >= WAITING {
            let fewer = self.waiting.fewer.notified();
            if self.waiting.calls.load(Ordering::Relaxed) >= WAITING {
                fewer.await;
            }
        }
        self.waiting.calls.fetch_add(1, Ordering::Relaxed);
        let gathered = self.gather(call).ok_or(NotRecorded)?;
        match self.mode {
            Mode::Buffered => Ok(()),
            Mode::Strict => gathered.committed().await,
        }
    }

    /// Adds a call to what this thread gathers.
    fn gather(&self, call: Call) -> Option<Rc<Gathered>> {
        let queue = self.queue.as_ref()?;
        GATHERING.with_borrow_mut(|gathering| {
            if let Some((own, gathered)) = gathering
                && own.same_channel(queue)
            {
                gathered.calls.borrow_mut().push(call);
                return Some(gathered.clone());
            }
            let gathered = Rc::new(Gathered::default());
            gathered.calls.borrow_mut().push(call);
            *gathering = Some((queue.clone(), gathered.clone()));
            tokio::task::spawn_local(send(queue.clone(), gathered.clone()));
            Some(gathered)
        })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.queue = None;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

type Gathering = Option<(mpsc::UnboundedSender<Batch>, Rc<Gathered>)>;

thread_local! {
    /// What this thread's calls of this turn go into.
    static GATHERING: RefCell<Gathering> = const { RefCell::new(None) };
}

/// Calls of one turn of one thread, and who waits for their commit.
#[derive(Default)]
struct Gathered {
    calls: RefCell<Vec<Call>>,
    committed: RefCell<Option<bool>>,
    wakers: RefCell<Vec<Waker>>,
}

impl Gathered {
    async fn committed(&self) -> Result<(), NotRecorded> {
        let committed = std::future::poll_fn(|context| match *self.committed.borrow() {
            Some(committed) => Poll::Ready(committed),
            None => {
                self.wakers.borrow_mut().push(context.waker().clone());
                Poll::Pending
            }
        });
        if committed.await { Ok(()) } else { Err(NotRecorded) }
    }
}

/// Lets the other calls of this turn join, sends them on, and tells them all at once.
async fn send(queue: mpsc::UnboundedSender<Batch>, gathered: Rc<Gathered>) {
    tokio::task::yield_now().await;
    GATHERING.with_borrow_mut(|gathering| {
        if gathering.as_ref().is_some_and(|(_, current)| Rc::ptr_eq(current, &gathered)) {
            *gathering = None;
        }
    });
    let calls = gathered.calls.take();
    let (committed, done) = oneshot::channel();
    let sent = queue.send(Batch { calls, committed }).is_ok();
    drop(queue);
    *gathered.committed.borrow_mut() = Some(sent && done.await.unwrap_or(false));
    for waker in gathered.wakers.take() {
        waker.wake();
    }
}

/// The thread that commits.
struct Writer {
    store: Store,
    clock: Arc<dyn Clock>,
    mode: Mode,
    waiting: Arc<Waiting>,
    /// The latest use of each token that is not written yet.
    uses: HashMap<TokenId, Use>,
    uses_written: Instant,
    folder: Folder,
}

impl Writer {
    fn new(store: Store, clock: Arc<dyn Clock>, mode: Mode, waiting: Arc<Waiting>) -> Self {
        let (uses, folder) = (HashMap::new(), Folder::default());
        Self { store, clock, mode, waiting, uses, uses_written: Instant::now(), folder }
    }

    fn run(&mut self, mut batches: mpsc::UnboundedReceiver<Batch>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a timer of its own");
        loop {
            let first = runtime.block_on(async { tokio::time::timeout(USES_EVERY, batches.recv()).await });
            match first {
                Ok(Some(first)) => {
                    if self.mode == Mode::Buffered {
                        std::thread::sleep(LINGER);
                    }
                    self.group(first, &mut batches);
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

    fn group(&mut self, first: Batch, batches: &mut mpsc::UnboundedReceiver<Batch>) {
        let (mut calls, mut waiting) = (first.calls, vec![first.committed]);
        while calls.len() < GROUP {
            let Ok(next) = batches.try_recv() else { break };
            calls.extend(next.calls);
            waiting.push(next.committed);
        }
        let committed = self.commit(&calls);
        self.waiting.calls.fetch_sub(calls.len(), Ordering::Relaxed);
        self.waiting.fewer.notify_waiters();
        for done in waiting {
            // Nobody waits any more when the caller hung up.
            let _ = done.send(committed);
        }
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
        self.write(&records)
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

pub(super) fn row(call: &Call) -> Record {
    let (actor_kind, person_id, token_id, actor_label) = match &call.caller {
        Caller::Token(id) => (ActorKind::Token, None, Some(*id), None),
        Caller::Person { id, label } => (ActorKind::Person, Some(*id), None, Some(label.clone())),
    };
    Record {
        team_id: call.team,
        id: ActivityId::from_bytes(call.request.bytes()),
        at: call.at,
        kind: if call.admitted { ActivityKind::ApiRequest } else { ActivityKind::ApiRefused },
        actor_kind,
        person_id,
        token_id,
        actor_label,
        subject: None,
        method: Some(call.method.to_owned()),
        route: Some(call.route.clone()),
        status: i16::try_from(call.status).ok(),
        duration_us: i32::try_from(call.took.as_micros()).ok(),
        ip: call.ip.map(|ip| ip.to_string()),
        agent: None,
        request_id: Some(call.request),
        detail: None,
        count: 1,
    }
}
