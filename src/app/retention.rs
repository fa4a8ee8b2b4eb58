//! Removes old calls from the activity table (changes are kept forever), old responses of idempotent requests, and dead
//! jobs.
//!
//! Removes a few rows at a time and pauses longer than it works, so that new calls wait for at most one small
//! transaction.

use std::time::{Duration, Instant};

use super::App;
use super::jobs::{Outcome, Running, Unfinished};
use crate::domain::access::idempotency;
use crate::domain::access::retention::{OldCalls, RemoveOld};
use crate::domain::jobs::review;
use crate::domain::{Result, Timestamp};
use crate::store::Tx;

/// The pause after each step is at least this long, and a multiple of the time the step took.
const MIN_PAUSE: Duration = Duration::from_millis(20);
const PAUSE_FACTOR: u32 = 4;

pub(super) async fn run(app: App, _: RemoveOld, running: Running) -> Outcome {
    // Runs all three even if one fails. The first error is the outcome.
    let removed = [
        ("calls", remove_calls(&app, &running).await),
        ("stored responses", remove_responses(&app, &running).await),
        ("dead jobs", remove_dead_jobs(&app, &running).await),
    ];
    removed.map(|(what, removed)| log(what, removed)).into_iter().collect()
}

fn log(what: &str, removed: std::result::Result<usize, Unfinished>) -> Outcome {
    match removed {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "removed old {what}"),
        Err(Unfinished::Stopped) => return Err(Unfinished::Stopped),
        Err(cause) => {
            tracing::warn!(%cause, "could not remove old {what}");
            return Err(cause);
        }
    }
    Ok(())
}

async fn remove_calls(app: &App, running: &Running) -> std::result::Result<usize, Unfinished> {
    match app.config().activity_days {
        0 => Ok(0),
        days => sweep(app, app.now().minus(time::Duration::days(days.into())), running).await,
    }
}

/// Removes all calls before a given time and returns their number.
///
/// # Errors
/// If the store can't be written or the runner stops. Rows removed until then remain removed.
pub async fn sweep(
    app: &App,
    before: Timestamp,
    running: &Running,
) -> std::result::Result<usize, Unfinished> {
    in_steps(app, running, OldCalls::all(before), |tx, place| place.remove_some(tx)).await
}

/// Removes expired responses of idempotent requests and returns their number.
///
/// # Errors
/// Like [`sweep`].
pub async fn remove_responses(app: &App, running: &Running) -> std::result::Result<usize, Unfinished> {
    in_steps(app, running, app.now(), |tx, now| until_none(idempotency::remove_some(tx, *now))).await
}

async fn remove_dead_jobs(app: &App, running: &Running) -> std::result::Result<usize, Unfinished> {
    in_steps(app, running, app.now(), |tx, now| until_none(review::remove_some_dead(tx, *now))).await
}

fn until_none(removed: Result<usize>) -> Result<Option<usize>> {
    Ok(Some(removed?).filter(|removed| *removed > 0))
}

/// Runs `step` repeatedly, each time in a separate transaction, until it returns `None`. Returns the sum.
pub(super) async fn in_steps<P: Send + 'static>(
    app: &App,
    running: &Running,
    mut place: P,
    step: fn(&mut Tx<'_>, &mut P) -> Result<Option<usize>>,
) -> std::result::Result<usize, Unfinished> {
    let mut removed = 0;
    loop {
        let began = Instant::now();
        let some = app.maintain(move |tx| Ok((step(tx, &mut place)?, place)));
        let (some, next) = some.await?;
        place = next;
        match some {
            None => return Ok(removed),
            Some(some) => removed += some,
        }
        running.rest(MIN_PAUSE.max(began.elapsed() * PAUSE_FACTOR)).await?;
    }
}
