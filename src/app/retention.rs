//! The thread that removes what is old: calls from the record, where changes of access stay for
//! ever, and answers that are kept for who sends a request again.
//!
//! A few rows at a time, and resting in between for longer than that took: calls that are
//! being recorded meanwhile wait for one small transaction at most.

use std::time::{Duration, Instant};

use super::App;
use super::background::Background;
use crate::domain::access::idempotency;
use crate::domain::access::retention::OldCalls;
use crate::domain::{Result, Timestamp};
use crate::store::Tx;

/// How often it is looked for what is old, and how long after the start for the first time.
const EVERY: Duration = Duration::from_secs(3600);
const FIRST: Duration = Duration::from_secs(60);
/// The rest after each step is at least so long, and a multiple of what the step took.
const REST: Duration = Duration::from_millis(20);
const TIMES: u32 = 4;

/// Starts it.
pub fn start(app: App) -> Background {
    Background::resting("retention", move |goes_on| run(&app, goes_on))
}

fn run(app: &App, goes_on: &dyn Fn(Duration) -> bool) {
    let days = app.config().activity_days;
    let mut wait = FIRST;
    while goes_on(wait) {
        if days > 0 {
            let before = app.now().minus(time::Duration::days(days.into()));
            report("calls", sweep(app, before, goes_on));
        }
        report("kept answers", forget_answers(app, goes_on));
        wait = EVERY;
    }
}

fn report(what: &str, removed: Result<usize>) {
    match removed {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "old {what} were removed"),
        Err(cause) => tracing::warn!(%cause, "old {what} could not be removed; that is tried again"),
    }
}

/// Removes every call before a moment; how many there were. `goes_on` rests for as long as it
/// is told, and says whether to go on.
///
/// # Errors
/// When the store cannot be written; what was removed until then stays removed.
pub fn sweep(app: &App, before: Timestamp, goes_on: impl Fn(Duration) -> bool) -> Result<usize> {
    let mut place = OldCalls::all(before);
    in_steps(app, goes_on, |tx| place.remove_some(tx))
}

/// The same with the answers that nobody is told again.
///
/// # Errors
/// Like [`sweep`].
pub fn forget_answers(app: &App, goes_on: impl Fn(Duration) -> bool) -> Result<usize> {
    let now = app.now();
    in_steps(app, goes_on, |tx| Ok(Some(idempotency::remove_some(tx, now)?).filter(|removed| *removed > 0)))
}

fn in_steps(
    app: &App,
    goes_on: impl Fn(Duration) -> bool,
    mut step: impl FnMut(&mut Tx<'_>) -> Result<Option<usize>>,
) -> Result<usize> {
    let mut removed = 0;
    loop {
        let began = Instant::now();
        match app.0.store.write(&mut step)? {
            None => return Ok(removed),
            Some(some) => removed += some,
        }
        if !goes_on(REST.max(began.elapsed() * TIMES)) {
            return Ok(removed);
        }
    }
}
