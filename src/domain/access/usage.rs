//! API usage by hour.
//!
//! Hours are counted from the activity table, which is always right and costs calls nothing. The count of
//! a past hour no longer changes, so it is stored.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use time::Duration;

use crate::domain::jobs::{Every, Job, MAINTENANCE, Queue};
use crate::domain::{Result, Timestamp};
use crate::store::Tx;
use crate::store::access::{activity, usage as rows};
use crate::store::ids::TeamId;

const SHOWN: i32 = 24;
/// How long after its end an hour can still get records: folded refusals, and calls delayed by the store.
const SETTLED: Duration = Duration::minutes(10);
/// The maximum count, so that a page costs no more as a team grows. It is above the default limits, so
/// only raised limits reach it.
const MOST: i64 = 25_000;

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    pub began: Timestamp,
    /// Admitted by the gate, whatever the response.
    pub answered: i64,
    pub refused: i64,
    /// Whether the hour has more calls than were counted.
    pub cut_off: bool,
}

impl Hour {
    fn of(kept: rows::Kept) -> Self {
        let rows::Kept { team_id: _, began, answered, refused, cut_off } = kept;
        Self { began, answered, refused, cut_off }
    }

    pub(crate) fn has_calls(&self) -> bool {
        self.answered + self.refused > 0
    }
}

pub fn hour_of(at: Timestamp) -> Timestamp {
    let hour = Duration::HOUR.whole_microseconds() as i64;
    Timestamp::from_micros(at.micros().div_euclid(hour) * hour)
}

/// The start of the first hour that can still get records.
pub fn settled(now: Timestamp) -> Timestamp {
    hour_of(now.minus(SETTLED))
}

/// The last 24 hours, oldest first. The last one is still running.
pub(crate) fn of_day(tx: &mut Tx<'_>, team: TeamId, now: Timestamp) -> Result<Vec<Hour>> {
    let hours = day_before(hour_of(now).plus(Duration::HOUR));
    let mut kept = kept(tx, team, hours[0])?;
    hours.map(|began| kept.remove(&began).map_or_else(|| of_hour(tx, team, began), Ok)).into_iter().collect()
}

/// The hours of the day before `until` without a stored count, oldest first.
pub fn uncounted(tx: &mut Tx<'_>, team: TeamId, until: Timestamp) -> Result<Vec<Timestamp>> {
    let hours = day_before(until);
    let kept = kept(tx, team, hours[0])?;
    Ok(hours.into_iter().filter(|began| !kept.contains_key(began)).collect())
}

/// Whether counts are stored of hours that are not over. It happens when a clock ran ahead.
pub(crate) fn has_kept_from(tx: &mut Tx<'_>, team: TeamId, until: Timestamp) -> Result<bool> {
    Ok(!rows::kept(tx, team, until)?.is_empty())
}

pub(crate) fn forget_from(tx: &mut Tx<'_>, team: TeamId, until: Timestamp) -> Result<()> {
    Ok(rows::forget_from(tx, team, until)?)
}

fn day_before(until: Timestamp) -> [Timestamp; SHOWN as usize] {
    std::array::from_fn(|index| until.minus(Duration::HOUR * (SHOWN - index as i32)))
}

fn kept(tx: &mut Tx<'_>, team: TeamId, from: Timestamp) -> Result<HashMap<Timestamp, Hour>> {
    Ok(rows::kept(tx, team, from)?.into_iter().map(|kept| (kept.began, Hour::of(kept))).collect())
}

/// Stores counts, and deletes those that are no longer shown.
pub(crate) fn keep(tx: &mut Tx<'_>, team: TeamId, hours: &[Hour]) -> Result<()> {
    for Hour { began, answered, refused, cut_off } in hours.iter().copied() {
        rows::keep(tx, &rows::Kept { team_id: team, began, answered, refused, cut_off })?;
    }
    let newest = hours.iter().map(|hour| hour.began).max().unwrap_or_default();
    Ok(rows::forget(tx, team, newest.minus(Duration::HOUR * SHOWN))?)
}

pub fn next_team(tx: &mut Tx<'_>, after: Option<TeamId>) -> Result<Option<TeamId>> {
    Ok(activity::next_team(tx, after)?)
}

pub fn of_hour(tx: &mut Tx<'_>, team: TeamId, began: Timestamp) -> Result<Hour> {
    let counted = rows::count(tx, team, (began, began.plus(Duration::HOUR)), MOST)?;
    let (answered, refused) = (counted.answered, counted.refused);
    Ok(Hour { began, answered, refused, cut_off: counted.records >= MOST })
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
