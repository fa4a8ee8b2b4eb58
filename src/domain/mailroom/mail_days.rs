//! Mail per day, counted on arrival: messages can be deleted later, and counting many would be slow.

use std::collections::BTreeMap;

use time::Duration;

use crate::domain::access::usage::day_of;
use crate::domain::{Result, Timestamp};
use crate::store::Tx;
use crate::store::ids::{AliasId, TeamId};
use crate::store::mailroom::mail_days as rows;

const RETAINED: Duration = Duration::days(31);

#[derive(Default)]
pub(super) struct Arrivals(BTreeMap<(TeamId, Option<AliasId>), (i64, i64)>);

impl Arrivals {
    /// Adds delivered and blocked messages of an alias.
    pub fn add(&mut self, team: TeamId, alias: AliasId, delivered: i64, blocked: i64) {
        for alias in [Some(alias), None] {
            let sum = self.0.entry((team, alias)).or_default();
            sum.0 += delivered;
            sum.1 += blocked;
        }
    }

    /// Writes in the order of keys, so that deliveries never deadlock.
    pub fn write(self, tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
        for (owner, sums) in self.0.into_iter().filter(|(_, sums)| *sums != (0, 0)) {
            rows::add(tx, owner, day_of(now), sums)?;
        }
        Ok(())
    }
}

/// Removes days that are no longer shown.
pub(crate) fn forget_old(tx: &mut Tx<'_>, team: TeamId, now: Timestamp) -> Result<()> {
    Ok(rows::forget(tx, team, day_of(now).minus(RETAINED))?)
}
