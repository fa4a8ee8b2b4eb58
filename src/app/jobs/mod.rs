//! Runs the jobs of [`crate::domain::jobs`]. The [`Registry`] has a handler for each kind.

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

#[derive(Default)]
pub(super) struct Jobs {
    /// Notified when this process enqueues a job.
    enqueued: Arc<Notify>,
    totals: Mutex<BTreeMap<&'static str, Totals>>,
}

#[derive(Clone, Copy, Default)]
struct Totals {
    done: u64,
    failed: u64,
}

impl Jobs {
    /// Returns a callback to call after each commit that enqueued a job.
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

pub fn registry() -> Registry {
    Registry::default()
        .with(super::deleted_teams::purge)
        .with(super::domains::check_one)
        .with(super::domains::enqueue_due)
        .with(super::hourly_counts::run)
        .with(super::retention::run)
        .with(super::search_index::run)
}
