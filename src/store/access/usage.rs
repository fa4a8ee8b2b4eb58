//! Counts of calls: from `activity`, and stored ones in `call_hours`.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary};

use crate::store::Tx;
use crate::store::backend::{Engine, on_engine};
use crate::store::columns::Timestamp;
use crate::store::error::Result;
use crate::store::ids::{ActivityId, TeamId};
use crate::store::schema::call_hours;

#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Counted {
    #[diesel(sql_type = BigInt)]
    pub answered: i64,
    /// Refused calls. A folded record counts as many times as it says.
    #[diesel(sql_type = BigInt)]
    pub refused: i64,
    /// The number of records read.
    #[diesel(sql_type = BigInt)]
    pub records: i64,
}

/// A range scan of the key that ends after `most` records. `{}` is a parameter, whose syntax differs.
const CALLS: &str = "SELECT \
    CAST(COALESCE(SUM(CASE WHEN kind = 'api.request' THEN count END), 0) AS BIGINT) AS answered, \
    CAST(COALESCE(SUM(CASE WHEN kind = 'api.refused' THEN count END), 0) AS BIGINT) AS refused, \
    COUNT(*) AS records \
    FROM (SELECT kind, count FROM activity WHERE team_id = {} AND id >= {} AND id < {} \
    AND kind IN ('api.request', 'api.refused') ORDER BY id LIMIT {}) AS calls";

/// Counts a team's calls in a half-open range of time, and stops after `most` records.
pub fn count(
    tx: &mut Tx<'_>,
    team: TeamId,
    (from, until): (Timestamp, Timestamp),
    most: i64,
) -> Result<Counted> {
    let (from, until) = (ActivityId::floor(from), ActivityId::floor(until));
    let query = match tx.connection {
        Engine::Sqlite(_) => sql_query(with_parameters(|_| "?".into())),
        Engine::Postgres(_) => sql_query(with_parameters(|number| format!("${number}"))),
    };
    let query = query
        .bind::<Binary, _>(team)
        .bind::<Binary, _>(from)
        .bind::<Binary, _>(until)
        .bind::<BigInt, _>(most);
    Ok(match tx.connection {
        Engine::Sqlite(inner) => query.get_result(inner)?,
        Engine::Postgres(inner) => query.get_result(inner)?,
    })
}

fn with_parameters(written: impl Fn(usize) -> String) -> String {
    let mut parts = CALLS.split("{}");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.enumerate().fold(first, |sql, (number, part)| sql + &written(number + 1) + part)
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = call_hours)]
pub struct Kept {
    pub team_id: TeamId,
    pub began: Timestamp,
    pub answered: i64,
    pub refused: i64,
    pub cut_off: bool,
}

pub fn kept(tx: &mut Tx<'_>, team: TeamId, from: Timestamp) -> Result<Vec<Kept>> {
    Ok(call_hours::table
        .filter(call_hours::team_id.eq(team).and(call_hours::began.ge(from)))
        .select(Kept::as_select())
        .load(tx.connection)?)
}

/// Adds an hour, unless another server has added it.
pub fn keep(tx: &mut Tx<'_>, hour: &Kept) -> Result<()> {
    on_engine!(&mut *tx.connection, inner => diesel::insert_into(call_hours::table)
        .values(hour)
        .on_conflict_do_nothing()
        .execute(inner))?;
    Ok(())
}

/// Removes the hours of a team from `from` on.
pub fn forget_from(tx: &mut Tx<'_>, team: TeamId, from: Timestamp) -> Result<()> {
    let late = call_hours::table.filter(call_hours::team_id.eq(team).and(call_hours::began.ge(from)));
    diesel::delete(late).execute(tx.connection)?;
    Ok(())
}

pub fn forget(tx: &mut Tx<'_>, team: TeamId, before: Timestamp) -> Result<()> {
    let old = call_hours::table.filter(call_hours::team_id.eq(team).and(call_hours::began.lt(before)));
    diesel::delete(old).execute(tx.connection)?;
    Ok(())
}
