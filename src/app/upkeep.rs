//! The thread that keeps SQLite's log short, so that nobody who writes has to.

use std::time::Duration;

use super::App;
use super::background::Background;

/// How often it is looked whether the log is long.
const EVERY: Duration = Duration::from_millis(250);

/// Starts it.
pub fn start(app: App) -> Background {
    Background::resting("upkeep", move |goes_on| run(&app, goes_on))
}

fn run(app: &App, goes_on: &dyn Fn(Duration) -> bool) {
    while goes_on(EVERY) {
        if let Err(cause) = app.0.store.tidy() {
            tracing::warn!(%cause, "the log of the store stays long; whoever commits next shortens it");
        }
    }
}
