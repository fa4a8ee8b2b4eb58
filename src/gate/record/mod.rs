//! Writes every call of a known caller to the activity table; see [`gate`](crate::gate).
//!
//! A call is encoded immediately in the format of the journal. In strict mode it joins its thread's [`batch`]; in
//! buffered mode all threads add to one buffer, which the [`writer`] takes.

mod batch;
pub(crate) mod call;
mod encoding;
mod flush;
mod queue;
mod refusal_folding;
mod writer;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::metrics::Metrics;
use super::refusal::{Reason, Refusal};
use super::threads;
use crate::domain::access::activity_mode::ActivityMode;
use crate::domain::access::epochs::LeaseId;
use crate::domain::clock::Clock;
use crate::domain::error::StoreError;
use crate::store::Store;
use call::Call;
use flush::Flusher;
use queue::{Backlog, Message};
use refusal_folding::RefusalCounts;
use writer::Writer;

/// How long a page waits for calls that the store doesn't accept.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Dropping it writes queued calls and ends its threads.
pub struct Recorder {
    mode: ActivityMode,
    queue: mpsc::UnboundedSender<Message>,
    backlog: Arc<Backlog>,
    refusals: Mutex<RefusalCounts>,
    writer: Mutex<Option<JoinHandle<()>>>,
    flusher: Arc<Flusher>,
}

impl Recorder {
    pub fn start(
        store: Store,
        clock: Arc<dyn Clock>,
        mode: ActivityMode,
        metrics: Arc<Metrics>,
        lease: LeaseId,
        serves: bool,
    ) -> Result<Self, StoreError> {
        let (queue, messages) = mpsc::unbounded_channel();
        let backlog = Arc::new(Backlog::default());
        let flusher = Arc::new(Flusher::start(&store, lease, serves)?);
        let mut writer = Writer::new(store, clock, mode, backlog.clone(), metrics, flusher.clone());
        let writer = threads::spawn("recorder", move || writer.run(messages));
        let (refusals, writer) = (Mutex::default(), Mutex::new(Some(writer)));
        Ok(Self { mode, queue, backlog, refusals, writer, flusher })
    }

    pub fn waiting(&self) -> usize {
        self.backlog.waiting()
    }

    pub fn in_journal(&self) -> usize {
        self.flusher.in_journal()
    }

    pub async fn record(&self, call: &Call<'_>) -> Result<(), Refusal> {
        let recorded = self.backlog.enter().await && {
            let fold = !call.admitted && self.refusals.lock().folds(call);
            match self.mode {
                ActivityMode::Strict => batch::join(&self.queue, call, fold).committed().await,
                ActivityMode::Buffered => self.buffer(call, fold),
            }
        };
        if recorded { Ok(()) } else { Err(Reason::NotRecorded.into()) }
    }

    fn buffer(&self, call: &Call<'_>, fold: bool) -> bool {
        if self.queue.is_closed() {
            return false;
        }
        !self.backlog.buffer(call, fold) || self.queue.send(Message::Buffered).is_ok()
    }

    pub async fn flush(&self) {
        let (reply, written) = oneshot::channel();
        if self.queue.send(Message::Flush(reply)).is_ok() {
            let _ = timeout(FLUSH_TIMEOUT, written).await;
        }
        self.flusher.flush().await;
    }

    /// Writes queued calls and ends the threads. Later calls are not recorded.
    pub fn close(&self) {
        self.backlog.close();
        let _ = self.queue.send(Message::End);
        if let Some(writer) = self.writer.lock().take() {
            threads::join(writer);
        }
        self.flusher.close();
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}
