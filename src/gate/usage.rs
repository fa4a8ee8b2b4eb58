//! How much of its limit a team used, and how it called in the last day.

use super::Allowance;
use crate::app::App;
use crate::domain::access::usage::{self, Hour};
use crate::domain::people::teams::Team;
use crate::domain::{Result, Timestamp};

/// What a team used, as of now.
pub struct Usage {
    pub allowance: Allowance,
    /// The last 24 hours, oldest first; the last is the one that runs.
    pub hours: Vec<Hour>,
}

/// What a team used of its limit this hour, and its calls of the last 24.
pub async fn usage(app: &App, team: &Team, now: Timestamp) -> Result<Usage> {
    let meters = super::meters(app, team, now).await?;
    let allowance = app.gate().limiter.look(&meters, now).await;
    let team = team.id;
    Ok(Usage { allowance, hours: app.read(move |tx| usage::of_day(tx, team, now)).await? })
}
