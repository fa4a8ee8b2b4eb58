//! Hourly counts of calls: live ones from `activity`, and stored ones in `call_counts`.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Nullable};

use crate::store::Tx;
use crate::store::backend::{Engine, on_engine};
use crate::store::columns::Timestamp;
use crate::store::error::Result;
use crate::store::ids::{ActivityId, TeamId, TokenId};
use crate::store::numbered::numbered;
use crate::store::schema::call_counts;

/// The calls of one hour, with a token or without.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Counted {
    #[diesel(sql_type = BigInt)]
    pub began: Timestamp,
    #[diesel(sql_type = Nullable<Binary>)]
    pub token_id: Option<TokenId>,
    #[diesel(sql_type = BigInt)]
    pub succeeded: i64,
    #[diesel(sql_type = BigInt)]
    pub refused: i64,
    #[diesel(sql_type = BigInt)]
    pub limited: i64,
    #[diesel(sql_type = BigInt)]
    pub failed: i64,
    /// The number of records read. The other fields also include the counts of folded records.
    #[diesel(sql_type = BigInt)]
    pub records: i64,
}

/// Scans a range of the key, newest first, and ends after this many records.
const CALLS: &str = "SELECT at / 3600000000 * 3600000000 AS began, token_id, \
    CAST(SUM(CASE WHEN status >= 400 THEN 0 ELSE count END) AS BIGINT) AS succeeded, \
    CAST(SUM(CASE WHEN status >= 400 AND status < 500 AND status <> 429 THEN count ELSE 0 END) AS BIGINT) AS refused, \
    CAST(SUM(CASE WHEN status = 429 THEN count ELSE 0 END) AS BIGINT) AS limited, \
    CAST(SUM(CASE WHEN status >= 500 THEN count ELSE 0 END) AS BIGINT) AS failed, \
    COUNT(*) AS records \
    FROM (SELECT at, token_id, status, count FROM activity \
    WHERE team_id = {1} AND id >= {2} AND id < {3} AND kind IN ('api.request', 'api.refused') \
    ORDER BY id DESC LIMIT {4}) AS calls GROUP BY 1, 2";

/// Counts a team's calls in a half-open range of time by hour and token, and stops after `limit` records.
pub fn count(
    tx: &mut Tx<'_>,
    team: TeamId,
    (from, until): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<Counted>> {
    let query = sql_query(numbered(tx.connection, CALLS))
        .bind::<Binary, _>(team)
        .bind::<Binary, _>(ActivityId::floor(from))
        .bind::<Binary, _>(ActivityId::floor(until))
        .bind::<BigInt, _>(limit);
    Ok(match tx.connection {
        Engine::Sqlite(inner) => query.load(inner)?,
        Engine::Postgres(inner) => query.load(inner)?,
    })
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = call_counts)]
pub struct Stored {
    pub team_id: TeamId,
    /// See [`token_key`].
    pub token_id: Vec<u8>,
    pub began: Timestamp,
    pub succeeded: i64,
    pub refused: i64,
    pub limited: i64,
    pub failed: i64,
    pub cut_off: bool,
}

pub fn token_key(token: Option<TokenId>) -> Vec<u8> {
    token.map(|token| token.bytes().to_vec()).unwrap_or_default()
}

/// The hours since `from`, of a token or of the whole team.
pub fn stored(tx: &mut Tx<'_>, team: TeamId, token: Option<TokenId>, from: Timestamp) -> Result<Vec<Stored>> {
    Ok(call_counts::table
        .filter(call_counts::team_id.eq(team).and(call_counts::token_id.eq(token_key(token))))
        .filter(call_counts::began.ge(from))
        .select(Stored::as_select())
        .load(tx.connection)?)
}

/// Like [`stored`], for several tokens.
pub fn stored_of(tx: &mut Tx<'_>, team: TeamId, tokens: &[TokenId], from: Timestamp) -> Result<Vec<Stored>> {
    let keys: Vec<_> = tokens.iter().map(|token| token_key(Some(*token))).collect();
    Ok(call_counts::table
        .filter(call_counts::team_id.eq(team).and(call_counts::token_id.eq_any(keys)))
        .filter(call_counts::began.ge(from))
        .select(Stored::as_select())
        .load(tx.connection)?)
}

pub fn last_stored(tx: &mut Tx<'_>, team: TeamId) -> Result<Option<Timestamp>> {
    Ok(call_counts::table
        .filter(call_counts::team_id.eq(team).and(call_counts::token_id.eq(token_key(None))))
        .select(diesel::dsl::max(call_counts::began))
        .get_result(tx.connection)?)
}

/// Adds an hour, unless another server has added it.
pub fn store(tx: &mut Tx<'_>, hour: &Stored) -> Result<()> {
    on_engine!(&mut *tx.connection, inner => diesel::insert_into(call_counts::table)
        .values(hour)
        .on_conflict_do_nothing()
        .execute(inner))?;
    Ok(())
}

pub fn forget_from(tx: &mut Tx<'_>, team: TeamId, from: Timestamp) -> Result<()> {
    let late = call_counts::table.filter(call_counts::team_id.eq(team).and(call_counts::began.ge(from)));
    diesel::delete(late).execute(tx.connection)?;
    Ok(())
}

pub fn forget(tx: &mut Tx<'_>, team: TeamId, before: Timestamp) -> Result<()> {
    let old = call_counts::table.filter(call_counts::team_id.eq(team).and(call_counts::began.lt(before)));
    diesel::delete(old).execute(tx.connection)?;
    Ok(())
}
