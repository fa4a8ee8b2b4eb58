//! The thread that counts how often each team called in an hour that is over: once, so that
//! nobody who looks at the last day has to wait for it.

use std::time::{Duration, Instant};

use super::App;
use super::background::Background;
use crate::domain::access::usage;
use crate::domain::people::teams::TeamId;
use crate::domain::{Result, Timestamp};

/// How often it is looked whether an hour is over, and how long after the start at first.
const EVERY: Duration = Duration::from_secs(60);
const FIRST: Duration = Duration::from_millis(500);
/// The rest after each hour is at least so long, and a multiple of what counting it took.
const REST: Duration = Duration::from_millis(1);
const TIMES: u32 = 2;

/// Starts it.
pub fn start(app: App) -> Background {
    Background::resting("hours", move |goes_on| run(&app, goes_on))
}

fn run(app: &App, goes_on: &dyn Fn(Duration) -> bool) {
    let (mut wait, mut counted) = (FIRST, None);
    while goes_on(wait) {
        wait = EVERY;
        let until = usage::settled(app.now());
        if counted == Some(until) {
            continue;
        }
        match count(app, until, goes_on) {
            Ok(()) => counted = Some(until),
            Err(cause) => {
                tracing::warn!(%cause, "the hours that are over could not be counted; that is tried again")
            }
        }
    }
}

/// Counts every hour of the day before `until` that was not counted yet, team by team.
/// `goes_on` rests for as long as it is told, and says whether to go on.
///
/// # Errors
/// When the store is out of reach; what was counted until then stays.
pub fn count(app: &App, until: Timestamp, goes_on: impl Fn(Duration) -> bool) -> Result<()> {
    let mut place = None;
    while let Some(team) = app.read_now(|tx| usage::next_team(tx, place))? {
        count_team(app, team, until, &goes_on)?;
        place = Some(team);
        if !goes_on(REST) {
            break;
        }
    }
    Ok(())
}

fn count_team(app: &App, team: TeamId, until: Timestamp, goes_on: impl Fn(Duration) -> bool) -> Result<()> {
    let mut counted = Vec::new();
    if app.read_now(|tx| usage::has_kept_from(tx, team, until))? {
        app.0.store.write(|tx| usage::forget_from(tx, team, until))?;
    }
    for began in app.read_now(|tx| usage::uncounted(tx, team, until))? {
        let since = Instant::now();
        let hour = app.read_now(|tx| usage::of_hour(tx, team, began))?;
        if hour.has_calls() {
            counted.push(hour);
            if !goes_on(REST.max(since.elapsed() * TIMES)) {
                break;
            }
        }
    }
    match counted.is_empty() {
        true => Ok(()),
        false => app.0.store.write(|tx| usage::keep(tx, team, &counted)),
    }
}
