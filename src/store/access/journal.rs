//! Rows of `call_batches`: calls that are on disk and not in `activity` yet. Beside SQLite they
//! are in [files](super::call_files).

use diesel::dsl::max;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, Binary};

use crate::store::Tx;
use crate::store::backend::Engine;
use crate::store::error::{Error, Result};
use crate::store::ids::LeaseId;
use crate::store::schema::{call_batches, leases};

#[derive(Queryable)]
pub struct Batch {
    pub id: i64,
    pub writer: LeaseId,
    pub calls: Vec<u8>,
}

/// In one statement, which is prepared once: Diesel's own of many rows is another for each
/// number of them.
pub fn append(tx: &mut Tx<'_>, writer: LeaseId, batches: &[Vec<u8>]) -> Result<()> {
    let Engine::Postgres(inner) = &mut *tx.connection else {
        return Err(Error::Fault("calls wait in files beside SQLite".into()));
    };
    Append { writer, batches: batches.iter().map(Vec::as_slice).collect() }.execute(inner)?;
    Ok(())
}

struct Append<'a> {
    writer: LeaseId,
    batches: Vec<&'a [u8]>,
}

impl QueryId for Append<'_> {
    type QueryId = Append<'static>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for Append<'_> {}

impl QueryFragment<Pg> for Append<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("INSERT INTO call_batches (writer, calls) SELECT ");
        out.push_bind_param::<Binary, _>(&self.writer)?;
        out.push_sql(", UNNEST(");
        out.push_bind_param::<Array<Binary>, _>(&self.batches)?;
        out.push_sql(")");
        Ok(())
    }
}

/// The newest; 0 when there is none.
pub fn last(tx: &mut Tx<'_>) -> Result<i64> {
    let newest: Option<i64> = call_batches::table.select(max(call_batches::id)).get_result(tx.connection)?;
    Ok(newest.unwrap_or(0))
}

/// The oldest after the first and up to the second of `between`, but those of `others`.
pub fn oldest(tx: &mut Tx<'_>, others: &[LeaseId], between: (i64, i64), most: i64) -> Result<Vec<Batch>> {
    Ok(call_batches::table
        .filter(call_batches::id.gt(between.0).and(call_batches::id.le(between.1)))
        .filter(call_batches::writer.ne_all(others.to_vec()))
        .select((call_batches::id, call_batches::writer, call_batches::calls))
        .order(call_batches::id.asc())
        .limit(most)
        .load(tx.connection)?)
}

pub fn remove(tx: &mut Tx<'_>, batches: &[i64]) -> Result<()> {
    // In pieces: an engine takes so many parameters and no more.
    for some in batches.chunks(500) {
        diesel::delete(call_batches::table.filter(call_batches::id.eq_any(some.to_vec())))
            .execute(tx.connection)?;
    }
    Ok(())
}

/// Servers besides `own` that are at work, and move their own batches on.
pub fn others_at_work(tx: &mut Tx<'_>, own: LeaseId) -> Result<Vec<LeaseId>> {
    let now = super::leases::now(tx)?;
    let others = leases::table.filter(leases::id.ne(own).and(leases::until.ge(now)));
    Ok(others.select(leases::id).load(tx.connection)?)
}
