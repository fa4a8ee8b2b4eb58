//! The gate that every API call passes: verify → limit → record. It knows no HTTP.
//!
//! # Verify: why a revoked token is never accepted
//!
//! [`verify`] caches tokens, because otherwise each call would need a query. Two rules make that safe.
//!
//! 1. The store counts an *access epoch*: triggers advance it in the transaction of every change that
//!    could turn a yes into a no. A cached token is valid only for the epoch that was read before it was
//!    loaded. The process that makes a change drops its own cache after the commit and before its response.
//! 2. Another process (an instance with the same Postgres, or a command during a server's run) can use its cache only
//!    while it holds a *lease*: a row with the end of the lease, by the database's clock, and the latest epoch that the
//!    process knows. The process checks the epoch every 20 ms. After a change, it first drops its cache and then updates
//!    its row. The process that made the change responds only when every other unexpired lease has the new epoch. A
//!    process that is paused or disconnected can't renew its lease. It stops using its cache before the others stop
//!    waiting, because its monotonic clock starts the lease at the request, and the database's clock at the later grant.
//!    Without a lease, a process reads the store for each call.
//!
//! So a revocation applies everywhere once it is confirmed, which takes at most the 2 s of a lease. No message has to be
//! delivered, and the wait ends even if the database becomes unavailable.
//!
//! # Limit
//!
//! [`limit`] counts the call for the token and its team in the current hour, in memory or in Redis. While Redis is
//! unreachable, a circuit breaker refuses calls at once.
//!
//! # Record: how calls are stored
//!
//! In strict mode, a response is sent only when its call is on disk; in buffered mode, the call is on disk
//! within 50 ms. Committing thirty calls of thirty tokens writes sixty pages of the activity table's indexes.
//! So when many calls arrive at once, [`record`] commits them to a journal: one row of a few kilobytes for
//! many calls. With SQLite, the journal is a separate file. A second thread flushes the journal into the
//! activity table twice a second and before a page shows calls. Under load it defers the flush by up to 10 s, unless
//! another server shares the store and could show a page without these calls. Small numbers of calls go into the activity
//! table directly. After a crash, the next server that starts flushes the journal, but commands don't. Adding a call
//! twice changes nothing, because the request's id is its key. Refusals within a minute fold into one record.
//!
//! # Timeouts
//!
//! Postgres ends a transaction that is idle for 4 s, so a paused process can't block a revocation with its
//! locks. A store that doesn't respond costs a call 10 s and then a 503.

mod limit;
mod metrics;
mod record;
mod refusal;
mod threads;
mod verify;

use std::sync::Arc;

use crate::blocking::blocking;
use crate::domain::Timestamp;
use crate::domain::access::activity_mode::ActivityMode;
use crate::domain::access::epochs::LeaseId;
use crate::domain::access::plans::{Limits, Plan};
use crate::domain::access::scopes::Need;
use crate::domain::clock::Clock;
use crate::domain::entropy::{self, Entropy};
use crate::domain::error::StoreError;
use crate::domain::people::teams::Team;
use crate::store::Store;

use limit::Limiter;
use limit::meter::Meters;
use metrics::{Gauges, Metrics};
use record::Recorder;
use verify::Verifier;

pub use limit::meter::Allowance;
pub use record::call::{Call, Caller};
pub use refusal::{Reason, Refusal};
pub use verify::admission::Admission;

pub struct Settings {
    pub limits: Limits,
    /// Counts calls in Redis instead of in memory.
    pub redis: Option<redis::Client>,
    pub activity: ActivityMode,
    /// Whether this process is a server. Only servers flush the journal.
    pub serves: bool,
}

pub struct Gate {
    store: Store,
    verifier: Verifier,
    limiter: Arc<Limiter>,
    recorder: Recorder,
    metrics: Arc<Metrics>,
}

type Result<T> = std::result::Result<T, Refusal>;

impl Gate {
    pub fn open(
        store: Store,
        settings: Settings,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
    ) -> std::result::Result<Self, StoreError> {
        let metrics = Arc::new(Metrics::default());
        let lease = LeaseId::new(clock.now(), entropy::bytes(entropy));
        let limiter = Arc::new(Limiter::new(settings.limits, settings.redis));
        let Settings { activity, serves, .. } = settings;
        let recorder = Recorder::start(store.clone(), clock, activity, metrics.clone(), lease, serves)?;
        let verifier = Verifier::start(store.clone(), limiter.clone(), lease);
        Ok(Self { store, verifier, limiter, recorder, metrics })
    }

    pub async fn verify(&self, presented: &str, now: Timestamp) -> Result<Arc<Admission>> {
        let admission = self.verifier.verify(presented, now).await?;
        match self.closed(&admission.team) {
            None => Ok(admission),
            Some(reason) => {
                let allowance = self.limiter.allowance(&admission.meters, now).await;
                Err(admission.refuse(reason).with_allowance(allowance))
            }
        }
    }

    /// Returns the reason why the API refuses the whole team, or `None`.
    pub fn closed(&self, team: &Team) -> Option<Reason> {
        match team {
            team if !team.api_enabled => Some(Reason::ApiDisabled),
            team if self.limit(team.plan) == 0 => Some(Reason::PlanRequired),
            _ => None,
        }
    }

    /// Returns the calls per hour of a plan; 0 means no API access.
    pub fn limit(&self, plan: Plan) -> u32 {
        self.limiter.limit(plan)
    }

    /// Counts a token's call, unless the token lacks the scope.
    pub async fn count(&self, admission: &Admission, need: Need, now: Timestamp) -> Result<Allowance> {
        if need.is_satisfied_by(admission.scopes) {
            return self.limiter.count(&admission.meters, now).await;
        }
        let allowance = self.limiter.allowance(&admission.meters, now).await;
        Err(Refusal::from(Reason::OutOfScope(need)).with_allowance(allowance))
    }

    pub async fn count_person(&self, team: &Team, now: Timestamp) -> Result<Allowance> {
        let meters = self.meters(team, now).await?;
        self.limiter.count(&meters, now).await
    }

    pub async fn allowance(&self, team: &Team, now: Timestamp) -> crate::domain::Result<Allowance> {
        let meters = self.meters(team, now).await?;
        Ok(self.limiter.allowance(&meters, now).await)
    }

    async fn meters(&self, team: &Team, now: Timestamp) -> crate::domain::Result<Meters> {
        let (store, limiter, team) = (self.store.clone(), self.limiter.clone(), team.clone());
        blocking(move || store.read(|tx| limiter.meters(tx, &team, None, now))).await
    }

    /// Returns once the call is on disk (strict) or queued (buffered); see [`ActivityMode`].
    pub async fn record(&self, call: &Call<'_>) -> Result<()> {
        self.recorder.record(call).await
    }

    /// Waits until the activity table has every call answered so far, except folded refusals.
    pub async fn flush(&self) {
        self.metrics.flush_requested();
        self.recorder.flush().await;
    }

    /// Waits, after a change of access, until no process can use a token cached before it.
    pub fn confirm(&self, epoch: i64) {
        self.verifier.confirm(epoch);
    }

    pub async fn limiter_is_reachable(&self) -> bool {
        self.limiter.is_reachable().await
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub async fn metrics_text(&self) -> String {
        let gauges = Gauges {
            waiting: self.recorder.waiting(),
            in_journal: self.recorder.in_journal(),
            cached: self.verifier.cached(),
            limiter_is_reachable: self.limiter_is_reachable().await,
        };
        metrics::text(&self.metrics, &gauges)
    }

    /// Writes everything queued and releases the lease. Call it before the process ends.
    pub fn close(&self) {
        self.recorder.close();
        self.verifier.close();
    }
}
