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
pub(crate) use rows::Counted;

/// How long after its end an hour can still get records: folded refusals, and calls delayed by the store.
const SETTLED: Duration = Duration::minutes(10);
/// The maximum count per hour, so that pages stay fast for large teams. The default limits are below it.
const MAX_RECORDS: i64 = 25_000;
/// The hours without stored counts are the current one and, for [`SETTLED`], the one before.
pub(crate) const MAX_LIVE_RECORDS: i64 = 2 * MAX_RECORDS;
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
        let rows::Counted { succeeded, refused, limited, failed, cut_off, .. } = *row;
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

    /// Returns the totals of hours that are not stored yet.
    pub(crate) fn live(counted: &[Counted]) -> Self {
        Self::of(counted, MAX_LIVE_RECORDS)
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
pub fn of_team(tx: &mut Tx<'_>, team: TeamId, period: Period, now: Timestamp) -> Result<Vec<Span>> {
    Ok(period.spans(&hours(tx, team, None, period.start(now), now)?, now))
}

/// The tokens and routes with the most calls in a period.
pub(crate) struct Rankings {
    pub tokens: Vec<(TokenId, String, i64)>,
    /// Method, route and number of calls.
    pub routes: Vec<(String, String, i64)>,
    /// Whether only the latest calls were counted for the routes.
    pub routes_are_cut_off: bool,
}

/// The number of rows in each ranking.
const MAX_RANKED: i64 = 5;
/// Routes are counted in this many of the latest calls, so that the page is fast for a busy team too.
pub(crate) const ROUTES_OF: i64 = 5_000;

pub(crate) fn rankings(tx: &mut Tx<'_>, team: TeamId, period: Period, now: Timestamp) -> Result<Rankings> {
    let hours = hours_since(period.start(now), now);
    let mut all = rows::rankings(tx, team, hours, MAX_LIVE_RECORDS, (ROUTES_OF, MAX_RANKED))?;
    all.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.name.cmp(&b.name)));
    let routes_are_cut_off = all.iter().any(|row| row.records >= ROUTES_OF);
    let (routes, tokens): (Vec<_>, Vec<_>) = all.into_iter().partition(|row| row.token_id.is_empty());
    let token = |row: rows::Ranked| {
        let id = TokenId::from_bytes(row.token_id.try_into().ok()?);
        Some((id, row.name, row.calls))
    };
    Ok(Rankings {
        tokens: tokens.into_iter().filter_map(token).collect(),
        routes: routes.into_iter().map(|row| (row.method, row.name, row.calls)).collect(),
        routes_are_cut_off,
    })
}

/// Returns the calls of the hours since `from`, of the team or of a token.
pub(crate) fn hours(
    tx: &mut Tx<'_>,
    team: TeamId,
    token: Option<TokenId>,
    from: Timestamp,
    now: Timestamp,
) -> Result<Hours> {
    Ok(of_each(tx, team, &[token], from, now)?.remove(&token).unwrap_or_default())
}

/// Returns the calls with each of several tokens in a period.
pub(crate) fn of_tokens(
    tx: &mut Tx<'_>,
    team: TeamId,
    tokens: &[TokenId],
    period: Period,
    now: Timestamp,
) -> Result<BTreeMap<TokenId, Vec<Span>>> {
    if tokens.is_empty() {
        return Ok(BTreeMap::new());
    }
    let whose: Vec<_> = tokens.iter().copied().map(Some).collect();
    let found = of_each(tx, team, &whose, period.start(now), now)?;
    let of_token = |(token, hours): (Option<TokenId>, Hours)| Some((token?, period.spans(&hours, now)));
    Ok(found.into_iter().filter_map(of_token).collect())
}

/// Returns the hours since `from`, stored or counted now, of tokens or of the whole team (`None`).
fn of_each(
    tx: &mut Tx<'_>,
    team: TeamId,
    whose: &[Option<TokenId>],
    from: Timestamp,
    now: Timestamp,
) -> Result<BTreeMap<Option<TokenId>, Hours>> {
    let found = rows::hours(tx, team, whose, hours_since(from, now), MAX_LIVE_RECORDS)?;
    let (live, stored): (Vec<_>, Vec<_>) = found.into_iter().partition(|hour| hour.records > 0);
    let mut live = Counts::live(&live);
    let mut all: BTreeMap<_, Hours> = whose.iter().map(|each| (*each, Hours::new())).collect();
    for (each, hours) in &mut all {
        let stored = stored.iter().filter(|hour| hour.token_id == *each);
        hours.extend(stored.map(|hour| (hour.began, Outcomes::from(hour))));
        hours.extend(match each {
            Some(token) => live.tokens.remove(token).unwrap_or_default(),
            None => std::mem::take(&mut live.team),
        });
    }
    Ok(all)
}

pub(crate) fn hours_since(from: Timestamp, now: Timestamp) -> rows::Hours {
    rows::Hours { first: from, settled: settled(now), until: hour_of(now).plus(Duration::HOUR) }
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
}
