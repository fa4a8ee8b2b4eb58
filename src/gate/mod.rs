//! The gate: what every API call passes. Verify → limit → record. It knows no HTTP.
//!
//! [`admit`] says whether a presented token may call now and on whose behalf, [`pass`]
//! whether it has the scope and its team calls left this hour, and [`Gate::record`] writes what
//! came of it; in the strict mode an answer leaves only when its record is on disk.
//!
//! # Why a revoked token never passes
//!
//! A verified token is kept in [`memory`], or a call would cost a query. Two things make that
//! safe, on one machine and on several.
//!
//! 1. The store counts an *access epoch*: every change that could turn a yes into a no
//!    advances it in the change's own transaction, by triggers. An entry of the memory is
//!    good only under the epoch before whose reading it was loaded. The process that makes a
//!    change drops its own memory after the commit and before the reply.
//! 2. Another process (an instance over the same Postgres, or a command beside a running
//!    server) may use its memory only while it holds a *lease*: a row that says until when,
//!    by the database's clock, and up to which epoch it knows. Its [`watch`] looks at the
//!    epoch every 20 ms; when it moved, it first drops its memory and then says so in its
//!    row. Whoever made the change replies only when no lease of another is both unexpired
//!    and behind. A process that cannot be told, because it is stopped or cut off, stops
//!    prolonging its lease; on its own monotonic clock it counts the lease from before it
//!    asked for it, so it stops trusting its memory no later than others stop waiting for
//!    it, and asks the store for each call until it has a lease again.
//!
//! So a confirmed revocation holds everywhere, after at most the 2 s of a lease, and nothing
//! depends on a message being delivered. Whoever waits does so by its own clock too: after
//! the time of a lease nobody can hold one of before, even if the database went away.
//!
//! # Where an answered call is
//!
//! On disk, always, in the strict mode, but for refusals that are [folded](fold). A commit that
//! puts thirty calls of thirty tokens where they belong writes sixty pages of the record's
//! trees. So of many calls at once only a [`journal`] is waited for: a few kilobytes, in a file
//! beside SQLite's or in a row of Postgres. The [`filer`] has them [moved](mover) into the
//! record in bulk, before a page is drawn and twice a second, where neighbours in a tree are
//! written together; while many come, and no other server shows the record, it lets them
//! gather. A few calls at a time go into the record directly. What a process that was killed
//! left in the journal is moved by the one that opens the store next; moving twice changes
//! nothing, as a call's record has its request's id for its key.
//!
//! # What is held up by what
//!
//! What a stopped process holds locked would stand in the way of a revocation, so Postgres
//! ends a transaction that is idle for 4 s. A store that does not answer at all costs a call
//! 10 s and then a 503.

mod circuit;
mod filer;
mod fold;
mod gather;
mod journal;
mod limit;
mod memory;
mod metrics;
mod mover;
mod record;
mod redis;
mod usage;
mod verify;
mod watch;
mod window;
mod writer;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::domain::access::epochs;
use crate::domain::clock::Clock;
use crate::domain::entropy::{self, Entropy};
use crate::domain::error::StoreError;
use crate::store::{Location, Store};

use filer::Filer;
use limit::Limiter;
pub use limit::{Allowance, Limits, Meters};
use memory::Memory;
pub use metrics::Unrecognised;
use metrics::{Gauges, Metrics};
use record::Recorder;
pub use record::{Call, Caller, Mode, NotRecorded};
pub use redis::RedisUrl;
pub use usage::{Usage, usage};
pub use verify::{Admission, Closed, Refusal, Suspect, admit, meters, pass, take};
use watch::Watch;

/// How long a call, or the end of the process, waits for a store that does not answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the gate keeps in memory, and the threads that keep it true.
pub struct Gate {
    store: Store,
    memory: Arc<Memory>,
    watch: Watch,
    limiter: Limiter,
    recorder: Recorder,
    filer: Arc<Filer>,
    metrics: Arc<Metrics>,
}

impl Gate {
    /// # Errors
    /// When the journal of calls cannot be opened.
    pub fn open(
        store: Store,
        location: Location,
        limits: Limits,
        redis: Option<RedisUrl>,
        mode: Mode,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
    ) -> Result<Self, StoreError> {
        let (memory, metrics) = (Arc::new(Memory::default()), Arc::new(Metrics::default()));
        let lease = epochs::LeaseId::new(clock.now(), entropy::bytes(entropy));
        let filer = Arc::new(Filer::start(store.clone(), location, lease)?);
        Ok(Self {
            watch: Watch::start(store.clone(), memory.clone(), lease),
            limiter: Limiter::new(limits, redis),
            recorder: Recorder::start(store.clone(), clock, mode, metrics.clone(), filer.clone()),
            filer,
            metrics,
            memory,
            store,
        })
    }

    /// After a change: forgets what is older than `epoch` here, and waits until no other
    /// process can answer out of what is.
    pub fn confirm(&self, epoch: i64) {
        self.memory.advance(epoch);
        self.watch.wait_for_others(&self.store, epoch);
    }

    /// Writes what waits to be written and gives the lease back, before the process ends.
    pub fn close(&self) {
        self.recorder.close();
        self.filer.close();
        self.watch.close();
    }

    /// Returns once the record tells of every call that was answered until now, but for refusals
    /// that are folded: it tells of those when their minute is over.
    pub async fn flush(&self) {
        self.metrics.flush_requested();
        self.recorder.flush().await;
        self.filer.flush().await;
    }

    /// Whether calls can be counted now; if not, each is refused.
    pub async fn limiter_is_reachable(&self) -> bool {
        self.limiter.is_reachable().await
    }

    /// What counts the calls, for whoever answers them.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Returns once the call's record is on disk, or is sure to be soon: see [`Mode`].
    ///
    /// # Errors
    /// [`NotRecorded`] when the store would not take it.
    pub async fn record(&self, call: &Call<'_>) -> std::result::Result<(), NotRecorded> {
        self.recorder.record(call).await
    }
}

/// Waits for a thread that was told to end, unless the store holds it up.
fn end(thread: Option<JoinHandle<()>>) {
    let Some(thread) = thread else { return };
    let since = Instant::now();
    while !thread.is_finished() && since.elapsed() < PATIENCE * 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
    if thread.is_finished() {
        let _ = thread.join();
    }
}

/// What an operator watches, as text.
pub async fn metrics_text(app: &App) -> String {
    let gate = app.gate();
    let gauges = Gauges {
        waiting: gate.recorder.waiting(),
        unfiled: gate.filer.unfiled(),
        remembered: gate.memory.len(),
        limiter_is_reachable: gate.limiter_is_reachable().await,
    };
    metrics::text(&gate.metrics, &gauges)
}
