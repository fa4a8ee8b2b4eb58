//! The thread that removes old calls from the record; changes of access stay for ever.
//!
//! A few rows at a time, and resting in between for longer than that took: calls that are
//! being recorded meanwhile wait for one small transaction at most.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::App;
use crate::domain::access::retention::OldCalls;
use crate::domain::{Result, Timestamp};

/// How often it is looked for old calls, and how long after the start for the first time.
const EVERY: Duration = Duration::from_secs(3600);
const FIRST: Duration = Duration::from_secs(60);
/// The rest after each step is at least so long, and a multiple of what the step took.
const REST: Duration = Duration::from_millis(20);
const TIMES: u32 = 4;

/// The thread at work. Dropping this ends it.
pub struct Retention {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Retention {
    /// Does nothing where calls are kept for ever.
    pub fn start(app: App) -> Self {
        let (stop, stopped) = channel();
        let days = app.config().activity_days;
        let thread = (days > 0).then(|| {
            std::thread::Builder::new()
                .name("retention".into())
                .spawn(move || run(&app, days, &stopped))
                .expect("the system starts a thread")
        });
        Self { stop: Some(stop), thread }
    }
}

impl Drop for Retention {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(app: &App, days: u32, stopped: &Receiver<()>) {
    let goes_on = |rest: Duration| matches!(stopped.recv_timeout(rest), Err(RecvTimeoutError::Timeout));
    let mut wait = FIRST;
    while goes_on(wait) {
        let before = app.now().minus(time::Duration::days(days.into()));
        match sweep(app, before, goes_on) {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "old calls were removed from the record"),
            Err(cause) => tracing::warn!(%cause, "old calls could not be removed; that is tried again"),
        }
        wait = EVERY;
    }
}

/// Removes every call before a moment; how many there were. `goes_on` rests for as long as it
/// is told, and says whether to go on.
///
/// # Errors
/// When the store cannot be written; what was removed until then stays removed.
pub fn sweep(app: &App, before: Timestamp, goes_on: impl Fn(Duration) -> bool) -> Result<usize> {
    let (mut removed, mut place) = (0, OldCalls::all(before));
    loop {
        let began = Instant::now();
        match app.0.store.write(|tx| place.remove_some(tx))? {
            None => return Ok(removed),
            Some(some) => removed += some,
        }
        if !goes_on(REST.max(began.elapsed() * TIMES)) {
            return Ok(removed);
        }
    }
}
