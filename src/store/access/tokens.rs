use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Integer, Text};

use crate::store::Tx;
use crate::store::backend::{Backend, Engine, on_engine};
use crate::store::columns::{Timestamp, TokenKind};
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{ActivityId, TeamId, TokenId, UserId};
use crate::store::lists::sorted_rows;
use crate::store::people::teams::Team;
use crate::store::schema::{teams, tokens};
use crate::store::team_rows::team_rows;

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = tokens)]
pub struct Token {
    pub id: TokenId,
    pub team_id: TeamId,
    pub kind: TokenKind,
    pub public_id: String,
    pub hash: Vec<u8>,
    pub start: String,
    pub sealed: Option<Vec<u8>>,
    pub name: String,
    pub name_key: String,
    pub created_by: Option<UserId>,
    pub created_by_label: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub scopes: Option<String>,
    pub hourly_cap: Option<i32>,
    pub allow_list: Option<String>,
    pub last_used_at: Option<Timestamp>,
    pub last_used_ip: Option<String>,
    pub last_used_agent: Option<String>,
    pub revoked_at: Option<Timestamp>,
    pub revoked_by_label: Option<String>,
    pub revoke_reason: Option<String>,
}

team_rows! { tokens, Token, TokenId: insert, find, lock, list, count }

sorted_rows! { tokens, Token, TokenId:
    Created = "created", "Created", descending, Id();
    Name = "name", "Name", ascending, Text(tokens::name_key, |row| row.name_key.clone());
    Used = "used", "Last used", descending,
        Number(sql::<BigInt>("COALESCE(tokens.last_used_at, 0)"), |row| row.last_used_at.map_or(0, Timestamp::micros));
}

/// The only lookup of an API request. Includes the hash, so that an unknown id and a wrong secret both find nothing, in the
/// same time.
pub fn find_presented(tx: &mut Tx<'_>, public_id: &str, hash: &[u8]) -> Result<Option<(Token, Team)>> {
    tokens::table
        .inner_join(teams::table)
        .filter(tokens::public_id.eq(public_id).and(tokens::hash.eq(hash)))
        .filter(teams::deleted_at.is_null())
        .select((Token::as_select(), Team::as_select()))
        .get_result(tx.connection)
        .optional_row()
}

diesel::define_sql_function! { fn substr(text: Text, from: Integer, count: Integer) -> Text; }

/// Tokens of all teams whose public id starts with `start`. LIKE would ignore case on SQLite.
pub fn find_by_start(tx: &mut Tx<'_>, start: &str, limit: i64) -> Result<Vec<(Token, Team)>> {
    let length = i32::try_from(start.len()).unwrap_or(i32::MAX);
    Ok(tokens::table
        .inner_join(teams::table)
        .filter(substr(tokens::public_id, 1, length).eq(start))
        .filter(teams::deleted_at.is_null())
        .order(tokens::id.desc())
        .limit(limit)
        .select((Token::as_select(), Team::as_select()))
        .load(tx.connection)?)
}

pub fn find_all(tx: &mut Tx<'_>, team: TeamId, ids: &[TokenId]) -> Result<Vec<Token>> {
    Ok(tokens::table
        .filter(tokens::team_id.eq(team).and(tokens::id.eq_any(ids.to_vec())))
        .select(Token::as_select())
        .load(tx.connection)?)
}

pub fn team_key(tx: &mut Tx<'_>, team: TeamId) -> Result<Option<Token>> {
    tokens::table
        .filter(tokens::team_id.eq(team).and(tokens::kind.eq(TokenKind::TeamKey)))
        .filter(tokens::revoked_at.is_null())
        .select(Token::as_select())
        .get_result(tx.connection)
        .optional_row()
}

/// Like [`team_key`], with its requests since `from`; counting stops at `limit`.
pub fn used_team_key(
    tx: &mut Tx<'_>,
    team: TeamId,
    from: Timestamp,
    limit: i64,
) -> Result<Option<(Token, i64)>> {
    let calls = sql::<BigInt>(
        "(SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM (SELECT count FROM activity \
          WHERE activity.team_id = tokens.team_id AND activity.token_id = tokens.id \
          AND activity.kind = 'api.request' AND activity.id >= ",
    )
    .bind::<Binary, _>(ActivityId::floor(from))
    .sql(" ORDER BY activity.id LIMIT ")
    .bind::<BigInt, _>(limit)
    .sql(") AS calls)");
    tokens::table
        .filter(tokens::team_id.eq(team).and(tokens::kind.eq(TokenKind::TeamKey)))
        .filter(tokens::revoked_at.is_null())
        .select((Token::as_select(), calls))
        .get_result(tx.connection)
        .optional_row()
}

#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Tallies {
    #[diesel(sql_type = BigInt)]
    pub active: i64,
    #[diesel(sql_type = BigInt)]
    pub revoked: i64,
}

/// Counts the active tokens without the team key, and the revoked ones, up to `limit`.
pub fn tallies(tx: &mut Tx<'_>, team: TeamId, limit: i64) -> Result<Tallies> {
    // The order makes the engine use an index.
    let count = |condition: &str| {
        format!(
            "(SELECT COUNT(*) FROM (SELECT id FROM tokens WHERE team_id = $1 AND {condition}
              ORDER BY id DESC LIMIT {limit}) AS found)"
        )
    };
    let statement = format!(
        "SELECT {} AS active, {} AS revoked",
        count("revoked_at IS NULL AND kind = 'token'"),
        count("revoked_at IS NOT NULL")
    );
    Ok(on_engine!(&mut *tx.connection, inner =>
        sql_query(statement).bind::<Binary, _>(team).get_result(inner))?)
}

/// `None` does not filter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub revoked: Option<bool>,
}

fn narrowed<'q>(team: TeamId, filter: &Filter) -> tokens::BoxedQuery<'q, Backend> {
    let query = tokens::table.filter(tokens::team_id.eq(team)).into_boxed();
    match filter.revoked {
        Some(true) => query.filter(tokens::revoked_at.is_not_null()),
        Some(false) => query.filter(tokens::revoked_at.is_null()),
        None => query,
    }
}

pub fn list_by_creator(tx: &mut Tx<'_>, team: TeamId, creator: UserId) -> Result<Vec<Token>> {
    Ok(tokens::table
        .filter(tokens::team_id.eq(team).and(tokens::created_by.eq(creator)))
        .filter(tokens::kind.eq(TokenKind::Token).and(tokens::revoked_at.is_null()))
        .order(tokens::id.desc())
        .select(Token::as_select())
        .load(tx.connection)?)
}

/// Revokes the active tokens that a person created. On Postgres, locks them first in the order in which last uses are
/// written, to avoid deadlocks.
pub fn revoke_by_creator(
    tx: &mut Tx<'_>,
    team: TeamId,
    creator: UserId,
    now: Timestamp,
    by: &str,
    reason: &str,
) -> Result<Vec<Token>> {
    let active = tokens::table
        .filter(tokens::team_id.eq(team).and(tokens::created_by.eq(creator)))
        .filter(tokens::kind.eq(TokenKind::Token).and(tokens::revoked_at.is_null()));
    if let Engine::Postgres(inner) = &mut *tx.connection {
        active.select(tokens::id).order(tokens::id).for_no_key_update().load::<TokenId>(inner)?;
    }
    Ok(diesel::update(active)
        .set((tokens::revoked_at.eq(now), tokens::revoked_by_label.eq(by), tokens::revoke_reason.eq(reason)))
        .returning(tokens::all_columns)
        .get_results(tx.connection)?)
}

/// Revokes a token. Returns `None` if the team has no such active token.
pub fn revoke(
    tx: &mut Tx<'_>,
    team: TeamId,
    id: TokenId,
    now: Timestamp,
    by: &str,
    reason: Option<&str>,
) -> Result<Option<Token>> {
    let active = tokens::table
        .filter(tokens::team_id.eq(team).and(tokens::id.eq(id)))
        .filter(tokens::revoked_at.is_null());
    diesel::update(active)
        .set((
            tokens::revoked_at.eq(now),
            tokens::revoked_by_label.eq(by),
            tokens::revoke_reason.eq(reason),
            tokens::sealed.eq(None::<Vec<u8>>),
        ))
        .returning(tokens::all_columns)
        .get_result(tx.connection)
        .optional_row()
}

/// # Errors
/// `Conflict` if another active token of the team has the name.
pub fn rename(tx: &mut Tx<'_>, team: TeamId, id: TokenId, name: &str, name_key: &str) -> Result<bool> {
    let active = tokens::table
        .filter(tokens::team_id.eq(team).and(tokens::id.eq(id)))
        .filter(tokens::kind.eq(TokenKind::Token).and(tokens::revoked_at.is_null()));
    let renamed = diesel::update(active)
        .set((tokens::name.eq(name), tokens::name_key.eq(name_key)))
        .execute(tx.connection)?;
    Ok(renamed == 1)
}

/// Returns whether the team has such an active token, other than the team key.
pub fn set_cap(tx: &mut Tx<'_>, team: TeamId, id: TokenId, cap: Option<i32>) -> Result<bool> {
    let active = tokens::table
        .filter(tokens::team_id.eq(team).and(tokens::id.eq(id)))
        .filter(tokens::kind.eq(TokenKind::Token).and(tokens::revoked_at.is_null()));
    let set = diesel::update(active).set(tokens::hourly_cap.eq(cap)).execute(tx.connection)?;
    Ok(set == 1)
}
