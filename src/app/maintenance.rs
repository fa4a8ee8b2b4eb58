//! Keeps SQLite's log short, so that those who write need not.
//!
//! This is a timer of the process and no job in the queue: the log is of this machine's file,
//! four rows a second would make it longer, and a tick that is missed loses nothing.

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
