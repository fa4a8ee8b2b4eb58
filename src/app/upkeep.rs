//! The thread that keeps SQLite's log short, so that nobody who writes has to.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use super::App;
use super::background::Background;

/// How often it is looked whether the log is long.
const EVERY: Duration = Duration::from_millis(250);

/// Starts it.
pub fn start(app: App) -> Background {
    let (stop, stopped) = channel();
    Background::start("upkeep", stop, move || run(&app, &stopped))
}

fn run(app: &App, stopped: &Receiver<()>) {
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(EVERY) {
        if let Err(cause) = app.0.store.tidy() {
            tracing::warn!(%cause, "the log of the store stays long; whoever commits next shortens it");
        }
    }
}
