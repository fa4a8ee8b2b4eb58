//! API usage by hour, token and outcome.
//!
//! Hours are counted in the activity table, so that calls need not update counters. The counts of a past
//! hour no longer change, so they are stored.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use time::Duration;

use crate::domain::jobs::{Every, Job, MAINTENANCE, Queue};
use crate::domain::{Result, Timestamp};
use crate::store::Tx;
use crate::store::access::{activity, retention, usage as rows};
use crate::store::ids::{ActivityId, TeamId, TokenId};

pub use super::periods::{Hours, Outcomes, Period, Span, day_of, hour_of};

/// How long after its end an hour can still get records: folded refusals, and calls delayed by the store.
const SETTLED: Duration = Duration::minutes(10);
/// The maximum count per hour, so that pages stay fast for large teams. The default limits are below it.
const MAX_RECORDS: i64 = 25_000;
/// The hours without stored counts are the current one and, for [`SETTLED`], the one before.
const MAX_LIVE_RECORDS: i64 = 2 * MAX_RECORDS;
/// How long counts are stored: the longest [`Period`] and a day.
const RETAINED: Duration = Duration::days(31);

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CountHours;

impl Job for CountHours {
    const KIND: &'static str = "hourly_counts";
    const LABEL: &'static str = "Count API requests by hour";
    const QUEUE: Queue = MAINTENANCE;
    const TIMEOUT: Duration = Duration::HOUR;
    const EVERY: Option<Every> = Some(Every {
        every: Duration::HOUR,
        past: Some(SETTLED),
        jitter: Duration::MINUTE,
        first: Duration::ZERO,
    });
}

impl From<&rows::Counted> for Outcomes {
    fn from(row: &rows::Counted) -> Self {
        let rows::Counted { succeeded, refused, limited, failed, .. } = *row;
        Self { succeeded, refused, limited, failed, cut_off: false }
    }
}

impl From<&rows::Stored> for Outcomes {
    fn from(row: &rows::Stored) -> Self {
        let rows::Stored { succeeded, refused, limited, failed, cut_off, .. } = *row;
        Self { succeeded, refused, limited, failed, cut_off }
    }
}

/// The calls of some hours, of the team and of each token.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub team: Hours,
    pub tokens: BTreeMap<TokenId, Hours>,
}

impl Counts {
    fn of(counted: &[rows::Counted], limit: i64) -> Self {
        let mut counts = Self::default();
        let cut_off = counted.iter().map(|row| row.records).sum::<i64>() >= limit;
        for row in counted {
            let outcomes = Outcomes { cut_off, ..row.into() };
            *counts.team.entry(row.began).or_default() += outcomes;
            if let Some(token) = row.token_id {
                *counts.tokens.entry(token).or_default().entry(row.began).or_default() += outcomes;
            }
        }
        counts
    }

    pub(crate) fn add(&mut self, more: Self) {
        self.team.extend(more.team);
        for (token, hours) in more.tokens {
            self.tokens.entry(token).or_default().extend(hours);
        }
    }
}

/// The start of the first hour that can still get records.
pub fn settled(now: Timestamp) -> Timestamp {
    hour_of(now.minus(SETTLED))
}

/// Returns the calls of a team in a period, oldest first. The last span is the current one.
pub(crate) fn of_team(tx: &mut Tx<'_>, team: TeamId, period: Period, now: Timestamp) -> Result<Vec<Span>> {
    Ok(period.spans(&hours(tx, team, None, period.start(now), now)?, now))
}

/// Returns the calls of the hours since `from`, of the team or of a token.
pub(crate) fn hours(
    tx: &mut Tx<'_>,
    team: TeamId,
    token: Option<TokenId>,
    from: Timestamp,
    now: Timestamp,
) -> Result<Hours> {
    let stored = rows::stored(tx, team, token, from)?;
    let last = match token {
        // For a token, only hours with calls are stored.
        Some(_) => rows::last_stored(tx, team)?,
        None => stored.iter().map(|hour| hour.began).max(),
    };
    let since = live_from(last, from, now);
    let mut live = live(tx, team, since, now)?;
    let live = match token {
        Some(token) => live.tokens.remove(&token).unwrap_or_default(),
        None => live.team,
    };
    Ok(join(&stored, &live, since))
}

/// Returns the calls with each of several tokens in a period, in three statements.
pub(crate) fn of_tokens(
    tx: &mut Tx<'_>,
    team: TeamId,
    tokens: &[TokenId],
    period: Period,
    now: Timestamp,
) -> Result<BTreeMap<TokenId, Vec<Span>>> {
    let from = period.start(now);
    let since = live_from(rows::last_stored(tx, team)?, from, now);
    let stored = rows::stored_of(tx, team, tokens, from)?;
    let mut live = live(tx, team, since, now)?;
    let of_token = |token: &TokenId| {
        let key = rows::token_key(Some(*token));
        let stored: Vec<_> = stored.iter().filter(|hour| hour.token_id == key).cloned().collect();
        let live = live.tokens.remove(token).unwrap_or_default();
        (*token, period.spans(&join(&stored, &live, since), now))
    };
    Ok(tokens.iter().map(of_token).collect())
}

/// The first hour to count live. Stored hours that are not over yet come from a clock that ran ahead.
pub(crate) fn live_from(last_stored: Option<Timestamp>, from: Timestamp, now: Timestamp) -> Timestamp {
    let after = last_stored.map_or(from, |began| began.plus(Duration::HOUR));
    after.max(from).min(settled(now))
}

/// Counts the calls of the hours since `since`, which have no stored counts.
pub(crate) fn live(tx: &mut Tx<'_>, team: TeamId, since: Timestamp, now: Timestamp) -> Result<Counts> {
    let until = hour_of(now).plus(Duration::HOUR);
    Ok(Counts::of(&rows::count(tx, team, (since, until), MAX_LIVE_RECORDS)?, MAX_LIVE_RECORDS))
}

/// Joins the stored hours before `since` with the live ones after it.
fn join(stored: &[rows::Stored], live: &Hours, since: Timestamp) -> Hours {
    let stored = stored.iter().filter(|hour| hour.began < since);
    stored.map(|hour| (hour.began, hour.into())).chain(live.iter().map(|(at, calls)| (*at, *calls))).collect()
}

/// The hours before `until` without stored counts, oldest first: since the last stored one, or else since
/// the first call.
pub fn uncounted(tx: &mut Tx<'_>, team: TeamId, until: Timestamp) -> Result<Vec<Timestamp>> {
    let until = hour_of(until);
    let oldest = until.minus(RETAINED);
    let first = match rows::last_stored(tx, team)? {
        Some(last) => last.plus(Duration::HOUR),
        None => {
            let first = retention::oldest_calls(tx, team, until, ActivityId::floor(oldest), 1)?;
            // Without calls, the last hour is stored, so that counting continues from there.
            first.first().map_or(until.minus(Duration::HOUR), |id| hour_of(id.moment()))
        }
    };
    let hours = std::iter::successors(Some(first.max(oldest)), |hour| Some(hour.plus(Duration::HOUR)));
    Ok(hours.take_while(|hour| *hour < until).collect())
}

/// Whether counts of unfinished hours are stored, because a clock ran ahead.
pub(crate) fn has_stored_from(tx: &mut Tx<'_>, team: TeamId, until: Timestamp) -> Result<bool> {
    Ok(rows::last_stored(tx, team)?.is_some_and(|last| last >= until))
}

pub(crate) fn forget_from(tx: &mut Tx<'_>, team: TeamId, until: Timestamp) -> Result<()> {
    Ok(rows::forget_from(tx, team, until)?)
}

/// Stores the counts of all hours up to `until`, and deletes those that are no longer shown.
pub(crate) fn store(tx: &mut Tx<'_>, team: TeamId, counts: &Counts, until: Timestamp) -> Result<()> {
    let last = hour_of(until).minus(Duration::HOUR);
    // Stored even without calls: it marks how far hours were counted.
    let of_team = counts.team.clone();
    let of_team = Hours::from([(last, Outcomes::default())]).into_iter().chain(of_team).collect::<Hours>();
    let tokens = counts.tokens.iter().map(|(token, hours)| (Some(*token), hours));
    for (token, hours) in tokens.chain([(None, &of_team)]) {
        for (began, outcomes) in hours {
            rows::store(tx, &row(team, token, *began, outcomes))?;
        }
    }
    Ok(rows::forget(tx, team, last.minus(RETAINED))?)
}

fn row(team: TeamId, token: Option<TokenId>, began: Timestamp, outcomes: &Outcomes) -> rows::Stored {
    let Outcomes { succeeded, refused, limited, failed, cut_off } = *outcomes;
    let token_id = rows::token_key(token);
    rows::Stored { team_id: team, token_id, began, succeeded, refused, limited, failed, cut_off }
}

pub fn next_team(tx: &mut Tx<'_>, after: Option<TeamId>) -> Result<Option<TeamId>> {
    Ok(activity::next_team(tx, after)?)
}

pub fn of_hour(tx: &mut Tx<'_>, team: TeamId, began: Timestamp) -> Result<Counts> {
    Ok(Counts::of(&rows::count(tx, team, (began, began.plus(Duration::HOUR)), MAX_RECORDS)?, MAX_RECORDS))
}

/// A number with thousands separators, like `12,345`.
pub(crate) struct Grouped(pub i64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let written = [0, 999, 1_000, 12_345, 1_234_567].map(|n| Grouped(n).to_string());
        assert_eq!(written, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn live_hours_begin_after_the_last_stored_one() {
        let hour = |n: i64| Timestamp::from_micros(0).plus(Duration::hours(n));
        let now = hour(100).plus(Duration::minutes(30));
        assert_eq!(live_from(Some(hour(98)), hour(77), now), hour(99));
        assert_eq!(live_from(None, hour(77), now), hour(77));
        assert_eq!(live_from(Some(hour(10)), hour(77), now), hour(77));
        // A clock that ran ahead has stored the future.
        assert_eq!(live_from(Some(hour(150)), hour(77), now), hour(100));
    }
}
