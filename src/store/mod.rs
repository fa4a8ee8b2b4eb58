//! Stores rows in SQLite or Postgres. The only folder that names Diesel.
//!
//! [`Store::read`] and [`Store::write`] run a function in a transaction and pass it a [`Tx`], which is opaque outside of
//! this folder. Each noun has a file with its queries.
//!
//! Queries for a unique row use `get_result` instead of `first`: SQLite plans a statement again for each
//! value of a bound LIMIT, which costs more than running it.

pub(crate) mod access;
pub(crate) mod activity_kinds;
mod backend;
pub(crate) mod backup;
pub mod check;
mod checkpoints;
pub(crate) mod clock;
pub mod columns;
pub(crate) mod error;
pub(crate) mod home;
pub mod ids;
pub(crate) mod instance;
pub mod jobs;
pub(crate) mod lists;
pub mod mailroom;
mod migrations;
pub(crate) mod names;
pub(crate) mod nouns;
mod numbered;
pub(crate) mod people;
mod prepared;
mod schema;
pub(crate) mod serving;
mod team_rows;
pub mod team_search;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use parking_lot::{Mutex, MutexGuard};

pub use backend::Location;
use backend::{Engine, Manager};
pub use error::Error;
pub(crate) use error::Result;

pub struct Tx<'c> {
    connection: &'c mut Engine,
    /// Whether a job was enqueued, so that the runner is notified after the commit.
    enqueued: bool,
}

#[derive(Clone)]
pub struct Store {
    location: Arc<Location>,
    pool: r2d2::Pool<Manager>,
    turns: Option<Arc<Turns>>,
    on_enqueued: Arc<OnceLock<Hook>>,
}

type Hook = Box<dyn Fn() + Send + Sync>;

/// The queue of writers, because an SQLite file has one writer at a time. SQLite would make the others sleep and
/// retry, so a thread with many small writes could starve them. This lock is fair.
type Turns = Mutex<()>;

/// How long a writer waits for its turn. SQLite waits as long for other processes.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// The log may grow so long that a commit hardly ever has to checkpoint it; see [`checkpoints`].
const STORE: &str = "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 16384;";
/// Smaller, because the journal's rows are soon deleted.
const JOURNAL: &str = "PRAGMA cache_size = -2048; PRAGMA wal_autocheckpoint = 4096;";

#[derive(Clone, Copy)]
enum Mode {
    Read,
    Write,
}

impl Store {
    /// Connects and brings the schema up to date.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Unusable`], with a sentence for the operator.
    pub fn open(location: Location) -> Result<Self> {
        // Makes one attempt without the pool, which would keep trying and report only a timeout.
        drop(location.connect()?);
        let turns = location.is_file().then(Arc::default);
        let pool = pool(Manager { location: location.clone(), pragmas: STORE }, 16)?;
        let store = Self { location: Arc::new(location), pool, turns, on_enqueued: Arc::default() };
        store.write(|tx| {
            migrations::lock_schema(tx.connection)?;
            migrations::migrate(tx.connection)
        })?;
        Ok(store)
    }

    /// The same store with a separate connection, for long transactions.
    ///
    /// # Errors
    /// Like [`Self::open`].
    pub(crate) fn for_bulk(&self) -> Result<Self> {
        let location = Location::clone(&self.location);
        let pool = pool(Manager { location, pragmas: STORE }, 1)?;
        Ok(Self { pool, ..self.clone() })
    }

    /// The journal's file next to SQLite's, with its own queue of writers.
    fn for_journal(&self, location: Location) -> Result<Self> {
        let pool = pool(Manager { location: location.clone(), pragmas: JOURNAL }, 2)?;
        Ok(Self {
            location: Arc::new(location),
            pool,
            turns: Some(Arc::default()),
            on_enqueued: Arc::default(),
        })
    }

    /// Calls `hook` after each commit that enqueued a job. Only the first hook counts.
    pub(crate) fn on_enqueued(&self, hook: impl Fn() + Send + Sync + 'static) {
        let _ = self.on_enqueued.set(Box::new(hook));
    }

    fn is_file(&self) -> bool {
        self.turns.is_some()
    }

    /// Runs `f` on a snapshot of the store.
    pub fn read<T, E: From<Error>>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.transaction(Mode::Read, f)
    }

    /// Runs `f` in a transaction. After `Ok` its changes are on disk, and after an error there are none.
    pub fn write<T, E: From<Error>>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.transaction(Mode::Write, f)
    }

    /// Like [`Self::read`], for a single statement, which needs no `BEGIN` and `COMMIT`.
    pub(crate) fn read_statement<T, E: From<Error>>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.run_statement(Mode::Read, f)
    }

    /// Like [`Self::write`], for a single idempotent statement, which may run again after a failure.
    pub fn write_statement<T, E: From<Error>>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.run_statement(Mode::Write, f)
    }

    fn run_statement<T, E: From<Error>>(
        &self,
        mode: Mode,
        f: impl Fn(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let done = {
            let _turn = self.turn(mode)?;
            let mut connection = self.connection()?;
            f(&mut Tx { connection: &mut connection, enqueued: false })
        };
        match done {
            // The connection may be dead. `transaction` drops dead ones and tries the next.
            Err(_) if !self.is_file() => self.transaction(mode, f),
            done => done,
        }
    }

    fn transaction<T, E: From<Error>>(
        &self,
        mode: Mode,
        f: impl FnOnce(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let _turn = self.turn(mode)?;
        let mut connection = self.begin(mode)?;
        let guard = Rollback(&mut connection);
        let mut tx = Tx { connection: &mut *guard.0, enqueued: false };
        let value = f(&mut tx)?;
        let enqueued = tx.enqueued;
        guard.commit()?;
        if let (true, Some(hook)) = (enqueued, self.on_enqueued.get()) {
            hook();
        }
        Ok(value)
    }

    /// The turn to write to the file.
    fn turn(&self, mode: Mode) -> Result<Option<Turn<'_>>> {
        let (Mode::Write, Some(turns)) = (mode, &self.turns) else { return Ok(None) };
        let turn = turns.try_lock_for(TURN_TIMEOUT);
        let late = || Error::Unavailable("other writers took too long".into());
        Ok(Some(Turn(Some(turn.ok_or_else(late)?))))
    }

    fn connection(&self) -> Result<r2d2::PooledConnection<Manager>> {
        self.pool.get().map_err(|cause| Error::Unavailable(cause.to_string()))
    }

    /// Returns a connection with a new transaction. Drops connections that can't begin one, because after the database
    /// restarted, the pool is full of dead connections.
    fn begin(&self, mode: Mode) -> Result<r2d2::PooledConnection<Manager>> {
        let mut tries = self.pool.max_size() + 1;
        loop {
            let mut connection = self.connection()?;
            match begin(&mut connection, mode) {
                Err(Error::Unavailable(_)) if tries > 0 && is_postgres(&connection) => tries -= 1,
                Err(error) => return Err(error),
                Ok(()) => return Ok(connection),
            }
        }
    }
}

/// Passes to the longest waiter when dropped.
struct Turn<'s>(Option<MutexGuard<'s, ()>>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(turn) = self.0.take() {
            MutexGuard::unlock_fair(turn);
        }
    }
}

fn pool(manager: Manager, connections: u32) -> Result<r2d2::Pool<Manager>> {
    r2d2::Pool::builder()
        .max_size(connections)
        .min_idle(Some(1))
        .test_on_check_out(false)
        .connection_timeout(Duration::from_secs(2))
        .error_handler(Box::new(r2d2::NopErrorHandler))
        .build(manager)
        .map_err(|cause| Error::Unavailable(cause.to_string()))
}

fn is_postgres(connection: &Engine) -> bool {
    matches!(connection, Engine::Postgres(_))
}

fn begin(connection: &mut Engine, mode: Mode) -> Result<()> {
    match (connection, mode) {
        // With a plain BEGIN, the first write would fail if another transaction is writing. IMMEDIATE waits.
        (Engine::Sqlite(inner), Mode::Write) => {
            AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN IMMEDIATE")?;
        }
        (Engine::Sqlite(inner), Mode::Read) => {
            AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN")?;
        }
        (Engine::Postgres(inner), Mode::Write) => {
            AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN")?;
        }
        (Engine::Postgres(inner), Mode::Read) => {
            AnsiTransactionManager::begin_transaction_sql(
                inner,
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            )?;
        }
    }
    Ok(())
}

/// Rolls back when dropped, after an error or a panic.
struct Rollback<'c>(&'c mut Engine);

type Transactions = <Engine as diesel::Connection>::TransactionManager;

impl Rollback<'_> {
    fn commit(self) -> Result<()> {
        let committed = Transactions::commit_transaction(&mut *self.0);
        // A failed commit (a deferred key, a full disk) leaves the transaction open.
        if committed.is_ok() {
            std::mem::forget(self);
        }
        Ok(committed?)
    }
}

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        let _ = Transactions::rollback_transaction(&mut *self.0);
    }
}
