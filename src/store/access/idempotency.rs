use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool};

use crate::store::Tx;
use crate::store::backend::Engine;
use crate::store::columns::Timestamp;
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::TeamId;
use crate::store::schema::idempotent_responses;

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotent_responses)]
pub struct Response {
    pub id: Vec<u8>,
    pub team_id: TeamId,
    pub content: Vec<u8>,
    pub at: Timestamp,
    pub location: String,
    pub body: String,
}

/// Locks the id until the transaction ends, or returns false if another one has locked it. SQLite has only
/// one writing transaction at a time.
pub fn take(tx: &mut Tx<'_>, id: &[u8; 32]) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Taken {
        #[diesel(sql_type = Bool)]
        taken: bool,
    }
    let Engine::Postgres(inner) = &mut *tx.connection else { return Ok(true) };
    let [a, b, c, d, e, f, g, h, ..] = *id;
    let taken: Taken = sql_query("SELECT pg_try_advisory_xact_lock($1) AS taken")
        .bind::<BigInt, _>(i64::from_be_bytes([a, b, c, d, e, f, g, h]))
        .get_result(inner)?;
    Ok(taken.taken)
}

pub fn find(tx: &mut Tx<'_>, team: TeamId, id: &[u8; 32]) -> Result<Option<Response>> {
    idempotent_responses::table
        .filter(idempotent_responses::id.eq(id.as_slice()).and(idempotent_responses::team_id.eq(team)))
        .select(Response::as_select())
        .get_result(tx.connection)
        .optional_row()
}

pub fn insert(tx: &mut Tx<'_>, kept: &Response) -> Result<()> {
    diesel::insert_into(idempotent_responses::table).values(kept).execute(tx.connection)?;
    Ok(())
}

/// The oldest rows, up to and including `before`.
pub fn oldest(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<Vec<Vec<u8>>> {
    Ok(idempotent_responses::table
        .filter(idempotent_responses::at.le(before))
        .order(idempotent_responses::at.asc())
        .select(idempotent_responses::id)
        .limit(limit)
        .load(tx.connection)?)
}

pub fn remove(tx: &mut Tx<'_>, ids: &[Vec<u8>]) -> Result<()> {
    diesel::delete(idempotent_responses::table.filter(idempotent_responses::id.eq_any(ids.to_vec())))
        .execute(tx.connection)?;
    Ok(())
}
