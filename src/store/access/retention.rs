//! Removes old calls from `activity`, a few at a time. Nothing else deletes its rows.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::store::Tx;
use crate::store::columns::Timestamp;
use crate::store::error::Result;
use crate::store::ids::{ActivityId, TeamId};
use crate::store::schema::{activity, retention};

/// Without parameters, so that it equals the condition of the trigger.
const CALLS: &str = "kind IN ('api.request', 'api.refused')";

/// The oldest calls of a team before `before` and after the id `after`.
pub fn oldest_calls(
    tx: &mut Tx<'_>,
    team: TeamId,
    before: Timestamp,
    after: ActivityId,
    limit: i64,
) -> Result<Vec<ActivityId>> {
    Ok(activity::table
        .filter(activity::team_id.eq(team))
        .filter(activity::id.gt(after).and(activity::id.lt(ActivityId::floor(before))))
        .filter(activity::at.lt(before))
        .filter(sql::<Bool>(CALLS))
        .order(activity::id.asc())
        .select(activity::id)
        .limit(limit)
        .load(tx.connection)?)
}

/// Removes the calls of an inclusive range of ids that are older than `before`, and returns their number.
/// The trigger on `activity` allows this only while the row of `retention` is set.
pub fn remove_calls(
    tx: &mut Tx<'_>,
    team: TeamId,
    before: Timestamp,
    (first, last): (ActivityId, ActivityId),
) -> Result<usize> {
    diesel::update(retention::table).set(retention::before.eq(before)).execute(tx.connection)?;
    let old = activity::table
        .filter(activity::team_id.eq(team))
        .filter(activity::id.ge(first).and(activity::id.le(last)))
        .filter(activity::at.lt(before))
        .filter(sql::<Bool>(CALLS));
    let removed = diesel::delete(old).execute(tx.connection)?;
    diesel::update(retention::table).set(retention::before.eq(None::<Timestamp>)).execute(tx.connection)?;
    Ok(removed)
}
