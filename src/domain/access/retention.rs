use serde::{Deserialize, Serialize};
use time::Duration;

use crate::domain::jobs::{Every, Job, MAINTENANCE, Queue};
use crate::domain::{Result, Timestamp};
use crate::store::Tx;
use crate::store::access::{activity, retention as rows};
use crate::store::ids::{ActivityId, TeamId};

#[derive(Debug, Serialize, Deserialize)]
pub struct RemoveOld;

impl Job for RemoveOld {
    const KIND: &'static str = "retention";
    const LABEL: &'static str = "Remove old records";
    const QUEUE: Queue = MAINTENANCE;
    const TIMEOUT: Duration = Duration::hours(12);
    const EVERY: Option<Every> =
        Some(Every { every: Duration::HOUR, past: None, jitter: Duration::MINUTE, first: Duration::MINUTE });
}

const BATCH: i64 = 500;

/// Progress of the removal of calls before a given time: team by team, oldest first.
pub struct OldCalls {
    before: Timestamp,
    team: Option<TeamId>,
    last_removed: ActivityId,
}

impl OldCalls {
    pub fn all(before: Timestamp) -> Self {
        Self { before, team: None, last_removed: ActivityId::floor(Timestamp::default()) }
    }

    /// Removes the next batch. Returns the number removed, or `None` when all teams are done. After a
    /// failed transaction, start again: skipping removed calls is cheap.
    pub fn remove_some(&mut self, tx: &mut Tx<'_>) -> Result<Option<usize>> {
        let calls = match self.team {
            Some(team) => rows::oldest_calls(tx, team, self.before, self.last_removed, BATCH)?,
            None => Vec::new(),
        };
        match (self.team, calls.first(), calls.last()) {
            (Some(team), Some(first), Some(last)) => {
                let removed = rows::remove_calls(tx, team, self.before, (*first, *last))?;
                self.last_removed = *last;
                Ok(Some(removed))
            }
            _ => Ok(self.next_team(tx)?.then_some(0)),
        }
    }

    fn next_team(&mut self, tx: &mut Tx<'_>) -> Result<bool> {
        let next = activity::next_team(tx, self.team)?;
        self.last_removed = ActivityId::floor(Timestamp::default());
        self.team = next.or(self.team);
        Ok(next.is_some())
    }
}
