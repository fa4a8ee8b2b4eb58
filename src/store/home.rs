//! Reads the figures of the Home page from many tables in one statement.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::Tx;
use super::access::usage::{self, Hours};
use super::backend::Engine;
use super::columns::Timestamp;
use super::error::Result;
use super::ids::{ActivityId, TeamId};
use super::numbered::numbered;

/// A row of one part. The part defines the meaning of the columns.
#[derive(Clone, Debug, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = Text)]
    pub part: String,
    /// 16 bytes, or empty.
    #[diesel(sql_type = Binary)]
    pub id: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub at: Option<i64>,
    #[diesel(sql_type = BigInt)]
    pub a: i64,
    #[diesel(sql_type = BigInt)]
    pub b: i64,
    #[diesel(sql_type = BigInt)]
    pub c: i64,
    #[diesel(sql_type = BigInt)]
    pub d: i64,
    #[diesel(sql_type = BigInt)]
    pub e: i64,
}

/// The starts of the counted periods, and the latest expiry that counts as soon.
#[derive(Clone, Copy, Debug)]
pub struct Since {
    pub hours: Hours,
    pub week: Timestamp,
    pub day: Timestamp,
    pub mail: Timestamp,
    pub unused: Timestamp,
    pub expiry: Timestamp,
}

/// Parameters: {1} team, {2} the empty key, {3} hours, {4} week, {5} day, {6} mail, {7} unused,
/// {8} expiry, {9} settled, {10} until, {11} the limit of records. The first part gives the columns their types.
const FACTS: &str = "
SELECT 'facts' AS part, t.id, t.name, (SELECT bytes FROM mail_stores WHERE team_id = {1}) AS at,
    CAST(CASE WHEN EXISTS (SELECT 1 FROM tokens WHERE team_id = {1} AND kind = 'token') THEN 1 ELSE 0 END AS BIGINT) AS a,
    CAST(CASE WHEN EXISTS (SELECT 1 FROM tokens WHERE team_id = {1} AND last_used_at IS NOT NULL) THEN 1 ELSE 0 END AS BIGINT) AS b,
    CAST(CASE WHEN EXISTS (SELECT 1 FROM aliases WHERE team_id = {1} AND deleted_at IS NULL) THEN 1 ELSE 0 END AS BIGINT) AS c,
    CAST(CASE WHEN EXISTS (SELECT 1 FROM messages WHERE team_id = {1}) OR EXISTS (SELECT 1 FROM mail_days WHERE team_id = {1})
        THEN 1 ELSE 0 END AS BIGINT) AS d,
    CAST(0 AS BIGINT) AS e
FROM teams t WHERE t.id = {1}";

/// Mail per day, and the aliases with the most mail in a week.
const MAIL: &str = "
UNION ALL
SELECT 'day', team_id, '', day, delivered, blocked, 0, 0, 0
FROM mail_days WHERE team_id = {1} AND alias_id = {2} AND day >= {6}
UNION ALL
SELECT 'alias', r.alias_id, a.local || '@' || a.domain_name, NULL, r.delivered, r.blocked, 0, 0, 0
FROM (SELECT alias_id, CAST(SUM(delivered) AS BIGINT) AS delivered, CAST(SUM(blocked) AS BIGINT) AS blocked
    FROM (SELECT alias_id, delivered, blocked FROM mail_days WHERE team_id = {1} AND day >= {4} AND alias_id <> {2}
        ORDER BY day DESC LIMIT 10000) AS days
    GROUP BY alias_id ORDER BY 2 DESC, alias_id LIMIT 8) AS r
JOIN aliases a ON a.id = r.alias_id AND a.deleted_at IS NULL";

/// API requests per hour, the newest tokens with their requests and errors, and tokens that expire soon or are unused.
const ACCESS: &str = "
UNION ALL
SELECT 'hour', team_id, '', began, succeeded, refused, limited, failed, CASE WHEN cut_off THEN 1 ELSE 0 END
FROM call_counts WHERE team_id = {1} AND token_id = {2} AND began >= {3} AND began < (SELECT since FROM live)
UNION ALL
SELECT 'token', t.id, t.name, NULL, COALESCE(r.week, 0), COALESCE(r.day, 0), COALESCE(r.troubled, 0), 0, 0
FROM (SELECT id, name FROM tokens WHERE team_id = {1} AND revoked_at IS NULL ORDER BY id DESC LIMIT 200) AS t
LEFT JOIN (SELECT token_id, CAST(SUM(succeeded + refused + limited + failed) AS BIGINT) AS week,
        CAST(SUM(CASE WHEN began >= {5} THEN succeeded + refused + limited + failed ELSE 0 END) AS BIGINT) AS day,
        CAST(SUM(CASE WHEN began >= {5} THEN refused + limited + failed ELSE 0 END) AS BIGINT) AS troubled
    FROM call_counts WHERE team_id = {1} AND began >= {4} AND token_id IN
        (SELECT id FROM tokens WHERE team_id = {1} AND revoked_at IS NULL ORDER BY id DESC LIMIT 200)
    GROUP BY token_id) AS r ON r.token_id = t.id
UNION ALL
SELECT 'expiring', id, name, expires_at, 0, 0, 0, 0, 0
FROM (SELECT id, name, expires_at FROM tokens
    WHERE team_id = {1} AND revoked_at IS NULL AND expires_at >= {4} AND expires_at < {8}
    ORDER BY expires_at LIMIT 5) AS expiring
UNION ALL
SELECT 'unused', id, name, NULL, 0, 0, 0, 0, 0
FROM (SELECT id, name FROM tokens WHERE team_id = {1} AND revoked_at IS NULL AND kind = 'token'
    AND created_at < {7} AND (last_used_at IS NULL OR last_used_at < {7}) LIMIT 100) AS unused";

/// Returns unordered rows. Counts at most `limit` records of calls in hours that are not stored.
pub fn rows(tx: &mut Tx<'_>, team: TeamId, since: &Since, limit: i64) -> Result<Vec<Row>> {
    let (with, live) = usage::live(tx.connection, ["{3}", "{9}", "{10}", "{11}"]);
    let live = format!(
        " UNION ALL SELECT 'live', COALESCE(token_id, {{2}}), '', began, succeeded, refused, limited, failed, records \
         FROM ({live}) AS live_calls"
    );
    let query = sql_query(numbered(tx.connection, &[&with, FACTS, MAIL, ACCESS, &live].concat()))
        .bind::<Binary, _>(team)
        .bind::<Binary, _>(Vec::<u8>::new())
        .bind::<BigInt, _>(since.hours.first)
        .bind::<BigInt, _>(since.week)
        .bind::<BigInt, _>(since.day)
        .bind::<BigInt, _>(since.mail)
        .bind::<BigInt, _>(since.unused)
        .bind::<BigInt, _>(since.expiry)
        .bind::<BigInt, _>(since.hours.settled)
        .bind::<Binary, _>(ActivityId::floor(since.hours.until))
        .bind::<BigInt, _>(limit);
    Ok(match tx.connection {
        Engine::Sqlite(inner) => query.load(inner)?,
        Engine::Postgres(inner) => query.load(inner)?,
    })
}
