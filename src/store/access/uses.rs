//! The last use of each token, in columns of `tokens`.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text};
use diesel::sqlite::SqliteConnection;

use crate::store::Tx;
use crate::store::backend::Engine;
use crate::store::columns::Timestamp;
use crate::store::error::Result;
use crate::store::ids::TokenId;
use crate::store::schema::tokens;

#[derive(Clone)]
pub struct Use {
    pub token: TokenId,
    pub at: Timestamp,
    pub ip: Option<String>,
    pub agent: Option<String>,
}

/// Stores each use, unless the stored one is later. A stored use from a clock that ran ahead is replaced.
pub fn record(tx: &mut Tx<'_>, uses: &[Use]) -> Result<()> {
    match &mut *tx.connection {
        Engine::Sqlite(inner) => uses.iter().try_for_each(|each| record_one(inner, each)),
        Engine::Postgres(_) if uses.is_empty() => Ok(()),
        Engine::Postgres(inner) => record_all(inner, uses),
    }
}

fn record_one(connection: &mut SqliteConnection, usage: &Use) -> Result<()> {
    let older = tokens::table.filter(tokens::id.eq(usage.token)).filter(
        (tokens::last_used_at.is_null())
            .or(tokens::last_used_at.lt(usage.at))
            .or(tokens::last_used_at.gt(usage.at.plus(Timestamp::MAX_CLOCK_DRIFT))),
    );
    diesel::update(older)
        .set((
            tokens::last_used_at.eq(usage.at),
            tokens::last_used_ip.eq(usage.ip.as_deref()),
            tokens::last_used_agent.eq(usage.agent.as_deref()),
        ))
        .execute(connection)?;
    Ok(())
}

/// A single statement, because each costs a round trip. It locks tokens in the order of their ids, so that
/// writers of several instances never deadlock.
fn record_all(connection: &mut PgConnection, uses: &[Use]) -> Result<()> {
    let each_id: Vec<_> = uses.iter().map(|each| each.token).collect();
    let each_at: Vec<_> = uses.iter().map(|each| each.at).collect();
    let each_ip: Vec<_> = uses.iter().map(|each| each.ip.as_deref()).collect();
    let each_agent: Vec<_> = uses.iter().map(|each| each.agent.as_deref()).collect();
    diesel::sql_query(
        "WITH held AS MATERIALIZED (
            SELECT id FROM tokens WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE
         )
         UPDATE tokens
         SET last_used_at = latest.at, last_used_ip = latest.ip, last_used_agent = latest.agent
         FROM UNNEST($1, $2, $3, $4) AS latest (id, at, ip, agent) JOIN held USING (id)
         WHERE tokens.id = latest.id AND (tokens.last_used_at IS NULL
            OR tokens.last_used_at < latest.at OR tokens.last_used_at > latest.at + $5)",
    )
    .bind::<Array<Binary>, _>(each_id)
    .bind::<Array<BigInt>, _>(each_at)
    .bind::<Array<Nullable<Text>>, _>(each_ip)
    .bind::<Array<Nullable<Text>>, _>(each_agent)
    .bind::<BigInt, _>(Timestamp::MAX_CLOCK_DRIFT.whole_microseconds() as i64)
    .execute(connection)?;
    Ok(())
}
