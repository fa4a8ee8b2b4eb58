//! Batches in Postgres: rows of `call_batches`.

use diesel::dsl::max;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, Binary};
use parking_lot::Mutex;

use super::{Batch, Engine, Place, Reach};
use crate::store::access::leases;
use crate::store::error::{Error, Result};
use crate::store::ids::LeaseId;
use crate::store::schema::call_batches;
use crate::store::{Store, Tx, backend};

/// Rows of one query.
const ROWS: i64 = 32;

pub struct Rows {
    store: Store,
    writer: LeaseId,
    pass: Mutex<Pass>,
}

/// Which rows a pass gives out.
#[derive(Clone, Default)]
struct Pass {
    /// Unreadable batches, at most up to this one, stay where they are.
    after: i64,
    last: i64,
    /// Servers at work move their own batches.
    others: Vec<LeaseId>,
    /// The first pass of a process takes all: what a server that was killed left can't wait until
    /// its lease ends.
    is_begun: bool,
}

impl Rows {
    pub fn new(store: Store, writer: LeaseId) -> Self {
        Self { store, writer, pass: Mutex::default() }
    }
}

impl Engine for Rows {
    fn is_open(&self) -> bool {
        true
    }

    fn append(&self, batches: &[Vec<u8>]) -> Result<()> {
        // A batch that is there twice is added to the activity table once: a call has one id.
        self.store.write_in_one(|tx| append(tx, self.writer, batches))
    }

    fn begin_pass(&self) -> Result<Reach> {
        let mut pass = self.pass.lock();
        pass.last = self.store.read(last)?;
        pass.others = match pass.is_begun {
            true => self.store.read(|tx| leases::others_at_work(tx, self.writer))?,
            false => Vec::new(),
        };
        pass.is_begun = true;
        Ok(Reach::All)
    }

    fn next(&self, bytes: usize) -> Result<Vec<Batch>> {
        let (mut batches, mut taken, mut pass) = (Vec::new(), 0, self.pass.lock().clone());
        while taken < bytes {
            let more = self.store.read(|tx| oldest(tx, &pass))?;
            let Some((newest, _)) = more.last() else { break };
            pass.after = *newest;
            taken += more.iter().map(|(_, calls)| calls.len()).sum::<usize>();
            batches.extend(more.into_iter().map(|(id, calls)| Batch { calls, place: Place::Row(id) }));
        }
        Ok(batches)
    }

    fn done(&self, batches: &[Batch], unreadable: &[&Batch]) -> Result<()> {
        let id = |batch: &Batch| match batch.place {
            Place::Row(id) => Some(id),
            Place::File => None,
        };
        let kept: Vec<i64> = unreadable.iter().filter_map(|batch| id(batch)).collect();
        let ids: Vec<i64> = batches.iter().filter_map(id).filter(|id| !kept.contains(id)).collect();
        self.store.write(|tx| remove(tx, &ids))?;
        let mut pass = self.pass.lock();
        pass.after = kept.into_iter().fold(pass.after, i64::max);
        Ok(())
    }
}

/// In one statement, which is prepared once. Diesel's own insert is a different statement for each
/// number of rows.
fn append(tx: &mut Tx<'_>, writer: LeaseId, batches: &[Vec<u8>]) -> Result<()> {
    let backend::Engine::Postgres(inner) = &mut *tx.connection else {
        return Err(Error::Fault("only Postgres has rows of batches".into()));
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

fn last(tx: &mut Tx<'_>) -> Result<i64> {
    let newest: Option<i64> = call_batches::table.select(max(call_batches::id)).get_result(tx.connection)?;
    Ok(newest.unwrap_or(0))
}

fn oldest(tx: &mut Tx<'_>, pass: &Pass) -> Result<Vec<(i64, Vec<u8>)>> {
    Ok(call_batches::table
        .filter(call_batches::id.gt(pass.after).and(call_batches::id.le(pass.last)))
        .filter(call_batches::writer.ne_all(pass.others.clone()))
        .select((call_batches::id, call_batches::calls))
        .order(call_batches::id.asc())
        .limit(ROWS)
        .load(tx.connection)?)
}

fn remove(tx: &mut Tx<'_>, batches: &[i64]) -> Result<()> {
    // In pieces: statements have a limit on parameters.
    for some in batches.chunks(500) {
        diesel::delete(call_batches::table.filter(call_batches::id.eq_any(some.to_vec())))
            .execute(tx.connection)?;
    }
    Ok(())
}
