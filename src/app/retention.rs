//! Removes old calls from the activity table (changes of access stay forever), old responses of idempotent
//! requests, and dead jobs.
//!
//! It removes a few rows at a time and rests longer than it works, so that new calls wait for one small
//! transaction at most.

use std::time::{Duration, Instant};

use super::App;
use super::jobs::{Outcome, Running, Unfinished};
use crate::domain::access::idempotency;
use crate::domain::access::retention::{OldCalls, RemoveOld};
use crate::domain::jobs::review;
use crate::domain::{Result, Timestamp};
use crate::store::Tx;

/// The rest after each step: at least this long, and a multiple of the time the step took.
const REST: Duration = Duration::from_millis(20);
const TIMES: u32 = 4;

pub(super) async fn run(app: App, _: RemoveOld, running: Running) -> Outcome {
    // All three run even if one fails; the first error is the outcome.
    let removed = [
        ("calls", remove_calls(&app, &running).await),
        ("kept responses", remove_responses(&app, &running).await),
        ("dead jobs", remove_dead_jobs(&app, &running).await),
    ];
    removed.map(|(what, removed)| log(what, removed)).into_iter().collect()
}

fn log(what: &str, removed: std::result::Result<usize, Unfinished>) -> Outcome {
    match removed {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "old {what} were removed"),
        Err(Unfinished::Stopped) => return Err(Unfinished::Stopped),
        Err(cause) => {
            tracing::warn!(%cause, "old {what} could not be removed");
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

/// Removes every call before a moment and returns their number.
///
/// # Errors
/// If the store can't be written or the runner stops. Rows removed until then stay removed.
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

/// Runs `step` in a transaction of its own until it returns `None`. Returns the sum.
async fn in_steps<P: Send + 'static>(
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
        running.rest(REST.max(began.elapsed() * TIMES)).await?;
    }
}
