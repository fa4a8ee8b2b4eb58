//! The record of every call: how a call gets to the thread that writes it, [`super::writer`].
//!
//! In the strict mode each worker thread gathers the calls that end in one turn of its event
//! loop and sends them as one message with one answer, so that waking costs little however
//! many wait. In the buffered mode all threads add to one heap, which the writer takes. Either
//! way calls are written down at once, as the bytes that the journal keeps.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

use super::filer::Filer;
use super::fold::Refusals;
use super::gather::{self, Calls};
use super::metrics::Metrics;
use super::writer::Writer;
use super::{PATIENCE, end};
use crate::domain::RequestId;
use crate::domain::access::activity::TokenId;
use crate::domain::clock::Clock;
use crate::domain::people::teams::TeamId;
use crate::domain::people::users::UserId;
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
#[derive(Debug)]
pub struct Call<'a> {
    pub team: TeamId,
    pub caller: Caller,
    /// It tells the moment, too.
    pub request: RequestId,
    pub method: &'static str,
    /// The route's template, never the path: a path can hold what is nobody's business.
    pub route: &'a str,
    pub status: u16,
    pub took: Duration,
    pub ip: Option<IpAddr>,
    pub agent: Option<&'a str>,
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

/// How long who wants to see them waits for calls that the store does not take.
const SETTLING: Duration = Duration::from_secs(1);

/// Calls not yet committed before callers are made to wait.
const WAITING: usize = 16_000;

/// What the writer is sent.
pub(super) enum Message {
    /// There are calls on the heap whose answers have left.
    Heap,
    /// Calls whose answers wait, and how to tell them whether their records are on disk.
    Calls(Calls, oneshot::Sender<bool>),
    /// Somebody wants to see what was sent until now, and what is over of what is folded.
    Settle(oneshot::Sender<()>),
    /// Nothing comes any more.
    End,
}

/// Dropping it writes what waits, and ends the writer.
pub struct Recorder {
    queue: mpsc::UnboundedSender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
    mode: Mode,
    waiting: Arc<Waiting>,
    refusals: Mutex<Refusals>,
}

/// Calls sent and not yet committed.
#[derive(Default)]
pub(super) struct Waiting {
    calls: AtomicUsize,
    heap: Mutex<Calls>,
    fewer: Notify,
    closing: OnceLock<Instant>,
}

impl Waiting {
    fn is_full(&self) -> bool {
        self.calls.load(Ordering::Relaxed) >= WAITING
    }

    async fn until_fewer(&self) {
        while self.is_full() {
            let fewer = self.fewer.notified();
            if self.is_full() {
                fewer.await;
            }
        }
    }

    /// Puts a call on the heap; whether it is the first there.
    fn heap(&self, call: &Call<'_>, fold: bool) -> bool {
        let mut heap = self.heap.lock().unwrap_or_else(PoisonError::into_inner);
        heap.add(call, fold);
        heap.len() == 1
    }

    /// Takes the heap away.
    pub fn take(&self) -> Calls {
        std::mem::take(&mut *self.heap.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn done(&self, calls: usize) {
        self.calls.fetch_sub(calls, Ordering::Relaxed);
        self.fewer.notify_waiters();
    }

    /// Whether the process is to end and has waited long enough for a store out of reach.
    pub fn is_over(&self) -> bool {
        self.closing.get().is_some_and(|since| since.elapsed() >= PATIENCE)
    }
}

impl Recorder {
    pub fn start(
        store: Store,
        clock: Arc<dyn Clock>,
        mode: Mode,
        metrics: Arc<Metrics>,
        filer: Arc<Filer>,
    ) -> Self {
        let (queue, messages) = mpsc::unbounded_channel();
        let waiting = Arc::new(Waiting::default());
        let mut writer = Writer::new(store, clock, mode, waiting.clone(), metrics, filer);
        let thread = std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || writer.run(messages))
            .expect("the system starts a thread");
        Self { queue, thread: Mutex::new(Some(thread)), mode, waiting, refusals: Mutex::default() }
    }

    /// Calls sent and not yet committed.
    pub fn waiting(&self) -> usize {
        self.waiting.calls.load(Ordering::Relaxed)
    }

    /// Returns once the call's record is on disk, or may be left to the writer.
    ///
    /// # Errors
    /// [`NotRecorded`] when the store would not take it, or not in time.
    pub async fn record(&self, call: &Call<'_>) -> Result<(), NotRecorded> {
        // A full queue slows callers down; nothing is dropped.
        if self.waiting.is_full() {
            let fewer = Box::pin(timeout(PATIENCE, self.waiting.until_fewer()));
            fewer.await.map_err(|_| NotRecorded)?;
        }
        self.waiting.calls.fetch_add(1, Ordering::Relaxed);
        let fold = !call.admitted && self.refusals.lock().unwrap_or_else(PoisonError::into_inner).fold(call);
        match self.mode {
            // Before the answer leaves, so that a server which stops in between has it.
            Mode::Buffered if self.queue.is_closed() => Err(NotRecorded),
            Mode::Buffered if self.waiting.heap(call, fold) => {
                self.queue.send(Message::Heap).map_err(|_| NotRecorded)
            }
            Mode::Buffered => Ok(()),
            Mode::Strict => gather::join(&self.queue, call, fold).committed().await,
        }
    }

    /// Returns once what was sent until now is on disk, with the folded refusals of minutes that
    /// are over, or the store did not take it.
    pub async fn flush(&self) {
        let (done, settled) = oneshot::channel();
        if self.queue.send(Message::Settle(done)).is_ok() {
            let _ = timeout(SETTLING, settled).await;
        }
    }

    /// Writes what was sent until now, and ends the writer. What comes later is not recorded.
    pub fn close(&self) {
        self.waiting.closing.get_or_init(Instant::now);
        let _ = self.queue.send(Message::End);
        end(self.thread.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}
