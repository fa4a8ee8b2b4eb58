//! Checkpoints SQLite's write-ahead log, so that no writer has to.
//!
//! This is a timer and not a job: the log belongs to a local file, four job rows a second would lengthen
//! it, and a missed tick loses nothing.

use std::time::Duration;

use super::App;
use super::jobs::Running;

const EVERY: Duration = Duration::from_millis(250);

pub(super) async fn run(app: App, running: Running) {
    while running.rest(EVERY).await.is_ok() {
        if let Err(cause) = app.shorten_log().await {
            tracing::warn!(%cause, "cannot checkpoint SQLite's log; retrying");
        }
    }
}
