//! Checkpoints SQLite's write-ahead log, so that writers need not wait for it.
//!
//! A timer and not a job, because the log belongs to a local file, four job rows per second would lengthen it, and a
//! missed tick does no harm.

use std::time::Duration;

use super::App;
use super::jobs::Running;

const EVERY: Duration = Duration::from_millis(250);

pub(super) async fn run(app: App, running: Running) {
    while running.rest(EVERY).await.is_ok() {
        if let Err(cause) = app.shorten_log().await {
            tracing::warn!(%cause, "could not checkpoint SQLite's log; retrying");
        }
    }
}
