//! The thread that keeps SQLite's log short, so that nobody who writes has to.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::App;

/// How often it is looked whether the log is long.
const EVERY: Duration = Duration::from_millis(250);

/// The thread at work. Dropping this ends it.
pub struct Upkeep {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Upkeep {
    pub fn start(app: App) -> Self {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("upkeep".into())
            .spawn(move || run(&app, &stopped))
            .expect("the system starts a thread");
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(app: &App, stopped: &Receiver<()>) {
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(EVERY) {
        if let Err(cause) = app.0.store.tidy() {
            tracing::warn!(%cause, "the log of the store stays long; whoever commits next shortens it");
        }
    }
}
