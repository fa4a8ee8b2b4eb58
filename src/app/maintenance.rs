//! Checkpoints SQLite's write-ahead log, so that no writer has to.
//!
//! This is a timer, not a job in the queue: the log belongs to a file of this machine, four job
//! rows a second would lengthen it, and a missed tick loses nothing.

use std::time::Duration;

use super::App;
use super::jobs::Running;

/// How often the length of the log is checked.
const EVERY: Duration = Duration::from_millis(250);

/// Until the runner stops.
pub(super) async fn run(app: App, running: Running) {
    while running.rest(EVERY).await.is_ok() {
        if let Err(cause) = app.shorten_log().await {
            tracing::warn!(%cause, "cannot checkpoint SQLite's log; retrying");
        }
    }
}
