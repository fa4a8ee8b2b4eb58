//! Stores each team's calls per hour, so that the usage page need not count those of a whole day.

use std::time::{Duration, Instant};

use super::App;
use super::jobs::{Outcome, Running};
use crate::domain::Timestamp;
use crate::domain::access::usage::{self, CountHours};
use crate::domain::people::teams::TeamId;

/// The rest after each hour: at least this long, and a multiple of the time that counting took.
const REST: Duration = Duration::from_millis(1);
const TIMES: u32 = 2;

pub(super) async fn run(app: App, _: CountHours, running: Running) -> Outcome {
    count(&app, usage::settled(app.now()), &running).await
}

/// Counts every hour of the day before `until` that has not been counted, team by team.
///
/// # Errors
/// If the store is out of reach or the runner stops. Hours counted until then stay.
pub async fn count(app: &App, until: Timestamp, running: &Running) -> Outcome {
    let mut place = None;
    while let Some(team) = app.read(move |tx| usage::next_team(tx, place)).await? {
        count_team(app, team, until, running).await?;
        place = Some(team);
        running.rest(REST).await?;
    }
    Ok(())
}

async fn count_team(app: &App, team: TeamId, until: Timestamp, running: &Running) -> Outcome {
    if app.read(move |tx| usage::has_kept_from(tx, team, until)).await? {
        app.maintain(move |tx| usage::forget_from(tx, team, until)).await?;
    }
    let mut counted = Vec::new();
    for began in app.read(move |tx| usage::uncounted(tx, team, until)).await? {
        let since = Instant::now();
        let hour = app.read(move |tx| usage::of_hour(tx, team, began)).await?;
        if hour.has_calls() {
            counted.push(hour);
            running.rest(REST.max(since.elapsed() * TIMES)).await?;
        }
    }
    match counted.is_empty() {
        true => Ok(()),
        false => Ok(app.maintain(move |tx| usage::keep(tx, team, &counted)).await?),
    }
}
