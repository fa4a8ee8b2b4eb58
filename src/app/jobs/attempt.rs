use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument;

use super::lease::keep;
use super::registry::{Outcome, Registry, Running, Unfinished};
use crate::app::App;
use crate::domain::jobs::lease::LEASE;
use crate::domain::jobs::{Kind, QueuedJob, lease};
use crate::domain::{Error, Result};

/// How long jobs may run after the runner is stopped, before they are released.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(2);
const FAULT: &str = "An internal error ended the attempt. The server's log has the cause.";

/// Runs one job and stores its outcome. If the outcome can't be stored, the lease expires and the job is
/// retried. The attempt is aborted when its lease is lost, because another process may then run the job.
pub(super) async fn run_one(
    app: App,
    registry: Arc<Registry>,
    job: QueuedJob,
    claimed: Instant,
    running: Running,
) {
    let Some((kind, attempt)) = registry.attempt(&app, &job, running.clone()) else { return };
    let span = tracing::info_span!("job", id = %job.id, kind = kind.name, attempt = job.attempts);
    let (extended, extending) = (job.clone(), app.clone());
    let extend = || {
        let job = extended.clone();
        extending.maintain(move |tx| lease::extend(tx, &job))
    };
    let work = async {
        let outcome = tokio::select! {
            outcome = with_timeout(kind, attempt) => outcome,
            () = closing_timeout(running) => Err(Unfinished::Stopped),
        };
        app.0.jobs.count(&kind, &outcome);
        if let Err(cause) = settle(&app, kind, job, outcome).await {
            tracing::warn!(%cause, "could not store the outcome of a job; the job will be retried");
        }
    };
    let leased = async {
        tokio::select! {
            biased;
            () = keep(LEASE.unsigned_abs(), claimed, extend) => {
                tracing::warn!("a job was aborted because its lease has ended");
            }
            () = work => {}
        }
    };
    leased.instrument(span).await;
}

/// Turns a panic or a timeout of the handler into a failed attempt.
async fn with_timeout(kind: Kind, attempt: impl Future<Output = Outcome> + Send + 'static) -> Outcome {
    let mut task = JoinSet::new();
    task.spawn(attempt.in_current_span());
    match timeout(kind.timeout.unsigned_abs(), task.join_next()).await {
        Err(_) => Err(Unfinished::Failed(format!("The job took longer than {}.", kind.timeout))),
        Ok(Some(Ok(outcome))) => outcome,
        Ok(Some(Err(panicked))) => Err(Error::fault(&panicked.to_string()).into()),
        Ok(None) => Err(Unfinished::Stopped),
    }
}

async fn closing_timeout(running: Running) {
    running.stopped().await;
    sleep(CLOSING_TIMEOUT).await;
}

async fn settle(app: &App, kind: Kind, job: QueuedJob, outcome: Outcome) -> Result<()> {
    let actor = app.system();
    let cause = match outcome {
        Ok(()) => return app.maintain(move |tx| lease::finish(tx, &actor, &kind, &job)).await,
        Err(Unfinished::Stopped) => {
            return app.maintain(move |tx| lease::release(tx, &actor, &job)).await;
        }
        Err(cause) => cause,
    };
    tracing::warn!(%cause, "a job failed");
    let permanent = matches!(cause, Unfinished::Permanent(_));
    let shown = match cause {
        Unfinished::Error(Error::Store(_)) => FAULT.to_owned(),
        cause => cause.to_string(),
    };
    app.maintain(move |tx| lease::fail(tx, &actor, &kind, &job, &shown, permanent)).await
}
