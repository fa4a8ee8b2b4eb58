//! Hourly counts of calls: live ones from `activity`, and stored ones in `call_counts`.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};

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
    /// Whether a stored count stopped before the end.
    #[diesel(sql_type = Bool)]
    pub cut_off: bool,
    /// The number of records read; 0 for stored counts. The other fields include the counts of folded records.
    #[diesel(sql_type = BigInt)]
    pub records: i64,
}

/// Scans a range of the key, newest first, and ends after this many records.
const CALLS: &str = "SELECT at / 3600000000 * 3600000000 AS began, token_id, \
    CAST(SUM(CASE WHEN status >= 400 THEN 0 ELSE count END) AS BIGINT) AS succeeded, \
    CAST(SUM(CASE WHEN status >= 400 AND status < 500 AND status <> 429 THEN count ELSE 0 END) AS BIGINT) AS refused, \
    CAST(SUM(CASE WHEN status = 429 THEN count ELSE 0 END) AS BIGINT) AS limited, \
    CAST(SUM(CASE WHEN status >= 500 THEN count ELSE 0 END) AS BIGINT) AS failed, \
    FALSE AS cut_off, COUNT(*) AS records \
    FROM (SELECT at, token_id, status, count FROM activity \
    WHERE team_id = {1} AND id >= SINCE AND id < UNTIL AND kind IN ('api.request', 'api.refused') \
    ORDER BY id DESC LIMIT LIMIT_OF_RECORDS) AS calls GROUP BY 1, 2";

/// Counts a team's calls in a half-open range of time by hour and token, and stops after `limit` records.
pub fn count(
    tx: &mut Tx<'_>,
    team: TeamId,
    (from, until): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<Counted>> {
    let calls = CALLS.replace("SINCE", "{2}").replace("UNTIL", "{3}").replace("LIMIT_OF_RECORDS", "{4}");
    let query = sql_query(numbered(tx.connection, &calls))
        .bind::<Binary, _>(team)
        .bind::<Binary, _>(ActivityId::floor(from))
        .bind::<Binary, _>(ActivityId::floor(until))
        .bind::<BigInt, _>(limit);
    Ok(on_engine!(&mut *tx.connection, inner => query.load(inner))?)
}

/// The end of the stored hours. A clock that ran ahead can have stored hours that are not over.
const LIVE: &str = "WITH stored (ends) AS (SELECT MAX(began) + 3600000000 FROM call_counts \
    WHERE team_id = {1} AND token_id = {2}), \
    live (since) AS (SELECT CASE WHEN ends IS NULL OR ends < FIRST THEN FIRST \
    WHEN ends > SETTLED THEN SETTLED ELSE ends END FROM stored) ";

/// The hours of a chart: the first one, the first one that can still get records, and the end.
#[derive(Clone, Copy, Debug)]
pub struct Hours {
    pub first: Timestamp,
    pub settled: Timestamp,
    pub until: Timestamp,
}

/// Returns the start of a statement that defines `live.since`, the first hour without stored counts, and a
/// subquery for the calls since then. The caller names the parameters; {1} is the team and {2} the empty key.
pub(in crate::store) fn live(
    connection: &Engine,
    [first, settled, until, limit]: [&str; 4],
) -> (String, String) {
    let millis = "(SELECT since / 1000 FROM live)";
    let since = match connection {
        Engine::Sqlite(_) => format!("unhex(printf('%012x', {millis}) || '00000000000000000000')"),
        Engine::Postgres(_) => format!("decode(lpad(to_hex({millis}), 12, '0') || repeat('0', 20), 'hex')"),
    };
    let calls = CALLS.replace("SINCE", &since).replace("UNTIL", until).replace("LIMIT_OF_RECORDS", limit);
    (LIVE.replace("FIRST", first).replace("SETTLED", settled), calls)
}

/// Returns the stored hours of tokens, or of the whole team, and the team's calls in hours that are not stored,
/// counted like in [`count`].
pub fn hours(
    tx: &mut Tx<'_>,
    team: TeamId,
    whose: &[Option<TokenId>],
    hours: Hours,
    limit: i64,
) -> Result<Vec<Counted>> {
    let (with, live) = live(tx.connection, ["{3}", "{4}", "{5}", "{6}"]);
    let keys: Vec<_> = (7..7 + whose.len()).map(|number| format!("{{{number}}}")).collect();
    let statement = format!(
        "{with}SELECT began, NULLIF(token_id, {{2}}) AS token_id, succeeded, refused, limited, failed, cut_off, \
         CAST(0 AS BIGINT) AS records FROM call_counts WHERE team_id = {{1}} AND token_id IN ({}) \
         AND began >= {{3}} AND began < (SELECT since FROM live) UNION ALL {live}",
        keys.join(", ")
    );
    let statement = numbered(tx.connection, &statement);
    Ok(on_engine!(&mut *tx.connection, inner => {
        let query = sql_query(statement)
            .into_boxed()
            .bind::<Binary, _>(team)
            .bind::<Binary, _>(token_key(None))
            .bind::<BigInt, _>(hours.first)
            .bind::<BigInt, _>(hours.settled)
            .bind::<Binary, _>(ActivityId::floor(hours.until))
            .bind::<BigInt, _>(limit);
        whose.iter().fold(query, |query, token| query.bind::<Binary, _>(token_key(*token))).load(inner)
    })?)
}

/// The calls with a token, or of a route.
#[derive(Clone, Debug, QueryableByName)]
pub struct Ranked {
    /// Empty for a route.
    #[diesel(sql_type = Binary)]
    pub token_id: Vec<u8>,
    /// Empty for a token.
    #[diesel(sql_type = Text)]
    pub method: String,
    /// The name of the token, or the route.
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = BigInt)]
    pub calls: i64,
    /// The number of records read for all routes.
    #[diesel(sql_type = BigInt)]
    pub records: i64,
}

const BUSIEST_TOKENS: &str = "SELECT t.id AS token_id, '' AS method, t.name AS name, r.calls AS calls, \
    CAST(0 AS BIGINT) AS records FROM (SELECT token_id, CAST(SUM(calls) AS BIGINT) AS calls FROM \
    (SELECT token_id, succeeded + refused + limited + failed AS calls FROM call_counts \
    WHERE team_id = {1} AND token_id <> {2} AND began >= {3} AND began < (SELECT since FROM live) \
    UNION ALL SELECT token_id, succeeded + refused + limited + failed AS calls FROM (LIVE_CALLS) AS counted \
    WHERE token_id IS NOT NULL) AS every GROUP BY token_id ORDER BY 2 DESC, token_id LIMIT {9}) AS r \
    JOIN tokens t ON t.id = r.token_id AND t.team_id = {1}";

const BUSIEST_ROUTES: &str = "SELECT * FROM (SELECT {2} AS token_id, method, route AS name, \
    CAST(SUM(count) AS BIGINT) AS calls, CAST(SUM(COUNT(*)) OVER () AS BIGINT) AS records \
    FROM (SELECT method, route, count FROM activity WHERE team_id = {1} AND id >= {7} \
    AND kind IN ('api.request', 'api.refused') ORDER BY id DESC LIMIT {8}) AS latest \
    WHERE method IS NOT NULL AND route IS NOT NULL GROUP BY method, route ORDER BY 4 DESC, 3, 2 LIMIT {9}) AS routes";

/// Returns the tokens with the most calls in `hours`, and the routes with the most among the `latest` last calls.
pub fn rankings(
    tx: &mut Tx<'_>,
    team: TeamId,
    hours: Hours,
    limit: i64,
    (latest, ranked): (i64, i64),
) -> Result<Vec<Ranked>> {
    let (with, live) = live(tx.connection, ["{3}", "{4}", "{5}", "{6}"]);
    let tokens = BUSIEST_TOKENS.replace("LIVE_CALLS", &live);
    let statement = numbered(tx.connection, &format!("{with}{tokens} UNION ALL {BUSIEST_ROUTES}"));
    let query = sql_query(statement)
        .bind::<Binary, _>(team)
        .bind::<Binary, _>(token_key(None))
        .bind::<BigInt, _>(hours.first)
        .bind::<BigInt, _>(hours.settled)
        .bind::<Binary, _>(ActivityId::floor(hours.until))
        .bind::<BigInt, _>(limit)
        .bind::<Binary, _>(ActivityId::floor(hours.first))
        .bind::<BigInt, _>(latest)
        .bind::<BigInt, _>(ranked);
    Ok(on_engine!(&mut *tx.connection, inner => query.load(inner))?)
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
