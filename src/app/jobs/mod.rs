//! Runs jobs: see [`crate::domain::jobs`]. Each kind has its handler in the [`Registry`].

mod attempt;
mod dispatcher;
mod lease;
mod metrics;
mod registry;
mod runner;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use registry::Outcome;
pub use registry::{Registry, Running, Unfinished};
pub use runner::{Runner, run_due, start};

use crate::domain::jobs::Kind;

/// What this process knows of its jobs.
#[derive(Default)]
pub(super) struct Jobs {
    /// Notified when a job was enqueued here.
    enqueued: Arc<Notify>,
    totals: Mutex<BTreeMap<&'static str, Totals>>,
}

/// Attempts that ended in this process.
#[derive(Clone, Copy, Default)]
struct Totals {
    done: u64,
    failed: u64,
}

impl Jobs {
    /// To be called after each commit that enqueued a job.
    pub(super) fn hook(&self) -> impl Fn() + Send + Sync + 'static {
        let enqueued = self.enqueued.clone();
        move || enqueued.notify_one()
    }

    fn count(&self, kind: &Kind, outcome: &Outcome) {
        let mut totals = self.totals.lock();
        let totals = totals.entry(kind.name).or_default();
        match outcome {
            Ok(()) => totals.done += 1,
            Err(Unfinished::Stopped) => {}
            Err(_) => totals.failed += 1,
        }
    }
}

/// Every job that Gatepost knows.
pub fn registry() -> Registry {
    Registry::default()
        .with(super::domains::check_one)
        .with(super::domains::enqueue_due)
        .with(super::hourly_counts::run)
        .with(super::retention::run)
}
