//! How much of its limit a team used, and how it called in the last day.
//!
//! Hours are counted out of the record, which is always right and costs a call nothing. An
//! hour that is over does not change any more, so it is counted once and kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use time::Duration;

use super::Allowance;
use crate::app::App;
use crate::domain::access::usage::{self, Hour};
use crate::domain::people::teams::{Team, TeamId};
use crate::domain::{Result, Timestamp};

/// Hours that are shown.
const SHOWN: i32 = 24;
/// How long after its end an hour may still get records: of folded refusals, and of calls
/// whose store was out of reach for a moment.
const SETTLED: Duration = Duration::minutes(10);
/// Hours kept at most, over all teams: some 5 MB.
const MOST: usize = 50_000;

/// What a team used, as of now.
pub struct Usage {
    pub allowance: Allowance,
    /// The last 24 hours, oldest first; the last is the one that runs.
    pub hours: Vec<Hour>,
}

/// Hours that are over.
#[derive(Default)]
pub struct Finished(Mutex<HashMap<(TeamId, Timestamp), Hour>>);

impl Finished {
    fn get(&self, team: TeamId, began: Timestamp) -> Option<Hour> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(team, began)).copied()
    }

    fn keep(&self, team: TeamId, hours: &[Hour], now: Timestamp) {
        let settled = now.minus(SETTLED);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        let over = hours.iter().filter(|hour| hour.began.plus(Duration::HOUR) <= settled);
        kept.extend(over.map(|hour| ((team, hour.began), *hour)));
    }
}

/// What a team used of its limit this hour, and its calls of the last 24.
pub async fn usage(app: &App, team: &Team, now: Timestamp) -> Result<Usage> {
    let meters = super::meters(app, team, now).await?;
    let allowance = app.gate().limiter.look(&meters, now).await;
    let (gate, team) = (app.gate().clone(), team.id);
    let current = usage::hour_of(now);
    let hours = app.read(move |tx| {
        let starts = (0..SHOWN).rev().map(|ago| current.minus(Duration::HOUR * ago));
        let hours: Vec<Hour> = starts
            .map(|began| match gate.finished.get(team, began) {
                Some(hour) => Ok(hour),
                None => usage::of_hour(tx, team, began),
            })
            .collect::<Result<_>>()?;
        gate.finished.keep(team, &hours, now);
        Ok(hours)
    });
    Ok(Usage { allowance, hours: hours.await? })
}
