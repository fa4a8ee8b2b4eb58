//! Rows of `call_batches`: calls that are on disk but not yet in the activity table. A row contains many calls, so that
//! committing many is as cheap as committing one.
//!
//! With SQLite, the table is in a separate file, because a file has one writer at a time: calls can be
//! committed while the flush, or anything else, writes to the store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use diesel::dsl::max;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, Binary};
use diesel::sqlite::SqliteConnection;
use parking_lot::Mutex;

use super::{journal_file, leases};
use crate::store::backend::{Backend, Engine};
use crate::store::error::Result;
use crate::store::ids::LeaseId;
use crate::store::schema::call_batches;
use crate::store::{Store, Tx};

/// The bytes of batches taken at once, some 20,000 calls, and the rows of one query.
const TAKEN: usize = 5 << 19;
const ROWS: i64 = 32;

/// One thread appends while another one takes.
pub struct Journal {
    store: Store,
    batches: Store,
    writer: LeaseId,
    /// The calls of this process in the journal.
    calls: AtomicUsize,
    /// Locked while batches are written.
    appending: Mutex<()>,
    was_read: AtomicBool,
    /// The last unreadable batch of each writer. All remaining batches up to it are unreadable.
    skipped: Mutex<HashMap<LeaseId, i64>>,
}

/// One pass over the batches in the journal. Excludes batches added later, so that it ends.
pub struct Pass<'j> {
    journal: &'j Journal,
    last: i64,
    /// Running servers, which move their own batches.
    others: Vec<LeaseId>,
    /// The calls of this process in the journal when the pass began.
    calls: usize,
}

#[derive(Queryable)]
pub struct Batch {
    pub id: i64,
    writer: LeaseId,
    pub calls: Vec<u8>,
}

impl Journal {
    pub fn open(store: &Store, writer: LeaseId) -> Result<Self> {
        let batches = match store.location.beside(journal_file::SUFFIX) {
            None => store.clone(),
            Some(path) => journal_file::open(store, path)?,
        };
        Ok(Self {
            store: store.clone(),
            batches,
            writer,
            calls: AtomicUsize::new(0),
            appending: Mutex::default(),
            was_read: AtomicBool::new(false),
            skipped: Mutex::default(),
        })
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Acquire)
    }

    /// Whether no other server uses the same store.
    pub fn is_alone(&self) -> Result<bool> {
        Ok(self.store.read(|tx| leases::other_servers(tx, self.writer))?.is_empty())
    }

    /// Writes batches. After an error, they may have been written anyway.
    pub fn append(&self, batches: &[Vec<u8>], calls: usize) -> Result<()> {
        let _appending = self.appending.lock();
        // Counted first, so that a reader never misses calls that are on disk.
        self.calls.fetch_add(calls, Ordering::AcqRel);
        // SQLite inserts row by row, and each statement outside a transaction is a commit.
        let appended = match batches.len() > 1 && self.batches.is_file() {
            true => self.batches.write(|tx| append(tx, self.writer, batches)),
            false => self.batches.write_statement(|tx| append(tx, self.writer, batches)),
        };
        appended.inspect_err(|_| self.forget(calls))
    }

    /// Starts a pass. Only one thread may do so at a time. The first pass of a process includes the batches of other
    /// servers, so that those of a killed server need not wait until its lease ends.
    pub fn pass(&self) -> Result<Pass<'_>> {
        let others = match self.was_read.load(Ordering::Relaxed) {
            true => self.store.read(|tx| leases::other_servers(tx, self.writer))?,
            false => Vec::new(),
        };
        let _appending = self.appending.lock();
        let last = self.batches.read(last)?;
        self.was_read.store(true, Ordering::Relaxed);
        Ok(Pass { journal: self, last, others, calls: self.calls() })
    }

    fn forget(&self, calls: usize) {
        // Saturating, because a batch whose writing failed late exists without being counted.
        let fewer = |known: usize| Some(known.saturating_sub(calls));
        let _ = self.calls.fetch_update(Ordering::AcqRel, Ordering::Acquire, fewer);
    }
}

impl Pass<'_> {
    /// Returns the next batches to move into the activity table, oldest first. Empty at the end.
    pub fn take(&mut self) -> Result<Vec<Batch>> {
        let (mut batches, mut bytes, mut after) = (Vec::<Batch>::new(), 0, 0);
        while bytes < TAKEN {
            let more = self.journal.batches.read(|tx| self.oldest(tx, after))?;
            let Some(newest) = more.last() else { break };
            after = newest.id;
            bytes += more.iter().map(|batch| batch.calls.len()).sum::<usize>();
            batches.extend(more);
        }
        if batches.is_empty() {
            self.journal.forget(std::mem::take(&mut self.calls));
        }
        Ok(batches)
    }

    /// Deletes batches that are in the activity table. Unreadable ones are kept.
    pub fn done(&self, batches: &[Batch], unreadable: &[&Batch]) -> Result<()> {
        let is_kept = |batch: &Batch| unreadable.iter().any(|kept| kept.id == batch.id);
        let moved: Vec<&Batch> = batches.iter().filter(|batch| !is_kept(batch)).collect();
        self.journal.batches.write(|tx| remove(tx, &moved))?;
        let mut skipped = self.journal.skipped.lock();
        for batch in unreadable {
            let last = skipped.entry(batch.writer).or_default();
            *last = batch.id.max(*last);
        }
        Ok(())
    }

    fn oldest(&self, tx: &mut Tx<'_>, after: i64) -> Result<Vec<Batch>> {
        let mut query = call_batches::table
            .filter(call_batches::id.gt(after).and(call_batches::id.le(self.last)))
            .filter(call_batches::writer.ne_all(self.others.clone()))
            .into_boxed::<Backend>();
        for (writer, last) in &*self.journal.skipped.lock() {
            query = query.filter(call_batches::writer.ne(*writer).or(call_batches::id.gt(*last)));
        }
        Ok(query
            .select((call_batches::id, call_batches::writer, call_batches::calls))
            .order(call_batches::id.asc())
            .limit(ROWS)
            .load(tx.connection)?)
    }
}

fn append(tx: &mut Tx<'_>, writer: LeaseId, batches: &[Vec<u8>]) -> Result<()> {
    match &mut *tx.connection {
        Engine::Sqlite(inner) => batches.iter().try_for_each(|batch| append_one(inner, writer, batch)),
        Engine::Postgres(inner) => {
            AppendAll { writer, batches: batches.iter().map(Vec::as_slice).collect() }.execute(inner)?;
            Ok(())
        }
    }
}

fn append_one(connection: &mut SqliteConnection, writer: LeaseId, batch: &[u8]) -> Result<()> {
    let row = (call_batches::writer.eq(writer), call_batches::calls.eq(batch));
    diesel::insert_into(call_batches::table).values(row).execute(connection)?;
    Ok(())
}

/// A single prepared statement, because Diesel's insert differs for each number of rows.
struct AppendAll<'a> {
    writer: LeaseId,
    batches: Vec<&'a [u8]>,
}

impl QueryId for AppendAll<'_> {
    type QueryId = AppendAll<'static>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for AppendAll<'_> {}

impl QueryFragment<Pg> for AppendAll<'_> {
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

fn remove(tx: &mut Tx<'_>, batches: &[&Batch]) -> Result<()> {
    for of_one in batches.chunk_by(|a, b| a.writer == b.writer) {
        // In chunks, because a statement has a limited number of parameters.
        for some in of_one.chunks(500) {
            let ids: Vec<i64> = some.iter().map(|batch| batch.id).collect();
            let read = call_batches::writer.eq(some[0].writer).and(call_batches::id.eq_any(ids));
            diesel::delete(call_batches::table.filter(read)).execute(tx.connection)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Location;

    fn store(folder: &tempfile::TempDir) -> Store {
        Store::open(Location::Sqlite(folder.path().join("store.db"))).expect("a store")
    }

    fn open(store: &Store, writer: u8) -> Result<Journal> {
        Journal::open(store, LeaseId::from_bytes([writer; 16]))
    }

    fn take(pass: &mut Pass<'_>) -> (Vec<Batch>, Vec<Vec<u8>>) {
        let batches = pass.take().expect("batches");
        let calls = batches.iter().map(|batch| batch.calls.clone()).collect();
        (batches, calls)
    }

    #[test]
    fn a_pass_has_the_batches_at_its_start_and_the_next_process_the_rest() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(&folder);
        let journal = open(&store, 1).expect("a journal");
        journal.append(&[vec![1], vec![2]], 5).expect("on disk");
        let mut pass = journal.pass().expect("a pass");
        journal.append(&[vec![3]], 1).expect("on disk");
        let (batches, calls) = take(&mut pass);
        assert_eq!((calls, journal.calls()), (vec![vec![1], vec![2]], 6));
        pass.done(&batches, &[&batches[0]]).expect("deleted batches");
        assert_eq!((take(&mut pass).1, journal.calls()), (vec![], 1));
        assert_eq!(take(&mut journal.pass().expect("a pass")).1, [[3]], "the unreadable batch is skipped");
        let next = open(&store, 2).expect("a journal");
        assert_eq!(take(&mut next.pass().expect("a pass")).1, [[1], [3]]);
    }

    #[test]
    fn deleting_a_batch_twice_deletes_no_later_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(&folder);
        let journal = open(&store, 1).expect("a journal");
        journal.append(&[vec![1], vec![2]], 2).expect("on disk");
        let mut pass = journal.pass().expect("a pass");
        let (read, _) = take(&mut pass);
        let other = open(&store, 2).expect("a journal");
        let mut others = other.pass().expect("a pass");
        let (moved, _) = take(&mut others);
        others.done(&moved, &[]).expect("deleted batches");
        journal.append(&[vec![3]], 1).expect("on disk");
        pass.done(&read, &[]).expect("deleted batches");
        assert_eq!(take(&mut journal.pass().expect("a pass")).1, [[3]]);
    }

    #[test]
    fn unreadable_batches_do_not_hide_those_of_another_writer() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(&folder);
        let journal = open(&store, 1).expect("a journal");
        journal.pass().expect("the first pass");
        let other = LeaseId::from_bytes([2; 16]);
        store.write(|tx| leases::take(tx, other, 0, 1_000_000_000)).expect("a lease");
        open(&store, 2).expect("a journal").append(&[vec![1]], 1).expect("on disk");
        journal.append(&[vec![2]], 1).expect("on disk");
        let mut pass = journal.pass().expect("a pass");
        let (batches, calls) = take(&mut pass);
        assert_eq!(calls, [[2]], "the other server is running");
        pass.done(&batches, &[&batches[0]]).expect("a skipped batch");
        store.write(|tx| leases::release(tx, other)).expect("no lease");
        assert_eq!(take(&mut journal.pass().expect("a pass")).1, [[1]]);
    }
}
