//! Stores the hourly calls of each team and token, so that pages need not count the calls of a month.

use std::time::{Duration, Instant};

use super::App;
use super::jobs::{Outcome, Running};
use crate::domain::Timestamp;
use crate::domain::access::usage::{self, CountHours, Counts};
use crate::domain::mailroom::mail_days;
use crate::domain::people::teams::TeamId;

/// The pause after each hour is at least this long, and a multiple of the time that counting took.
const MIN_PAUSE: Duration = Duration::from_millis(1);
const PAUSE_FACTOR: u32 = 2;

pub(super) async fn run(app: App, _: CountHours, running: Running) -> Outcome {
    count(&app, usage::settled(app.now()), &running).await
}

/// Counts every uncounted hour before `until`, team by team.
///
/// # Errors
/// If the store is unreachable or the runner stops. Counts stored until then remain.
pub async fn count(app: &App, until: Timestamp, running: &Running) -> Outcome {
    let mut place = None;
    while let Some(team) = app.read(move |tx| usage::next_team(tx, place)).await? {
        count_team(app, team, until, running).await?;
        place = Some(team);
        running.rest(MIN_PAUSE).await?;
    }
    Ok(())
}

async fn count_team(app: &App, team: TeamId, until: Timestamp, running: &Running) -> Outcome {
    if app.read(move |tx| usage::has_stored_from(tx, team, until)).await? {
        app.maintain(move |tx| usage::forget_from(tx, team, until)).await?;
    }
    let uncounted = app.read(move |tx| usage::uncounted(tx, team, until)).await?;
    if uncounted.is_empty() {
        return Ok(());
    }
    let mut counts = Counts::default();
    for began in uncounted {
        let since = Instant::now();
        let hour = app.read(move |tx| usage::of_hour(tx, team, began)).await?;
        if !hour.team.is_empty() {
            counts.add(hour);
            running.rest(MIN_PAUSE.max(since.elapsed() * PAUSE_FACTOR)).await?;
        }
    }
    let stored = app.maintain(move |tx| {
        mail_days::forget_old(tx, team, until)?;
        usage::store(tx, team, &counts, until)
    });
    Ok(stored.await?)
}
