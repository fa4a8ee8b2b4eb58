//! Rows in two engines: SQLite and Postgres. The only folder that names Diesel.
//!
//! [`Store::read`] and [`Store::write`] run a function inside one transaction and hand it a
//! [`Tx`], which is opaque outside this folder. One file a noun says what can be asked.
//!
//! A row with a key of its own is asked for with `get_result`, not `first`: SQLite plans a
//! statement again for each value of a bound LIMIT, which costs more than running it.

pub(crate) mod access;
pub(crate) mod activity_kinds;
mod backend;
pub(crate) mod backup;
pub mod check;
mod checkpoints;
pub(crate) mod clock;
pub mod columns;
pub(crate) mod error;
pub mod ids;
pub(crate) mod instance;
pub mod jobs;
pub(crate) mod lists;
pub mod mailroom;
mod migrations;
pub(crate) mod names;
pub(crate) mod people;
mod prepared;
mod schema;
pub(crate) mod serving;
mod team_rows;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use parking_lot::{Mutex, MutexGuard};

pub use backend::Location;
use backend::{Engine, Manager};
pub use error::Error;
pub(crate) use error::Result;

/// A transaction under way.
pub struct Tx<'c> {
    connection: &'c mut Engine,
    /// Whether a job was enqueued: the runner is notified after the commit.
    enqueued: bool,
}

/// A pool of connections to one engine.
#[derive(Clone)]
pub struct Store {
    location: Arc<Location>,
    pool: r2d2::Pool<Manager>,
    turns: Option<Arc<Turns>>,
    on_enqueued: Arc<OnceLock<Hook>>,
}

type Hook = Box<dyn Fn() + Send + Sync>;

/// The queue of writers, as an SQLite file has one writer at a time. SQLite itself makes the others
/// sleep and retry, so a thread with many small writes could starve them; this lock is fair.
type Turns = Mutex<()>;

/// The timeout of a waiting writer, the same as for another process.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// The log is so long that a commit hardly ever has to move it into the file; see [`checkpoints`].
const STORE: &str = "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 16384;";
/// Rows of the journal are soon gone.
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
        // One plain attempt first: the pool would keep trying and report only a timeout.
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

    /// The same rows by a connection of its own, for long transactions.
    ///
    /// # Errors
    /// Like [`Self::open`].
    pub(crate) fn for_bulk(&self) -> Result<Self> {
        let location = Location::clone(&self.location);
        let pool = pool(Manager { location, pragmas: STORE }, 1)?;
        Ok(Self { pool, ..self.clone() })
    }

    /// The file of the journal beside SQLite's, with writers of its own.
    fn for_journal(&self, location: Location) -> Result<Self> {
        let pool = pool(Manager { location: location.clone(), pragmas: JOURNAL }, 2)?;
        Ok(Self {
            location: Arc::new(location),
            pool,
            turns: Some(Arc::default()),
            on_enqueued: Arc::default(),
        })
    }

    /// Calls `hook` after each commit that enqueued a job; only the first hook counts.
    pub(crate) fn on_enqueued(&self, hook: impl Fn() + Send + Sync + 'static) {
        let _ = self.on_enqueued.set(Box::new(hook));
    }

    /// Whether it is a file of this machine.
    fn is_file(&self) -> bool {
        self.turns.is_some()
    }

    /// Runs `f` on one unchanging view of the store.
    pub fn read<T, E: From<Error>>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.transaction(Mode::Read, f)
    }

    /// Runs `f`; what it wrote is there, on disk, when this returns `Ok`, and none of it
    /// when it returns an error.
    pub fn write<T, E: From<Error>>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.transaction(Mode::Write, f)
    }

    /// [`Self::read`] for one statement, which needs no other to begin and to end it.
    pub(crate) fn read_in_one<T, E: From<Error>>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.in_one(Mode::Read, f)
    }

    /// [`Self::write`] for one statement. With Postgres it may be run again after it failed, so
    /// that must do no harm.
    pub fn write_in_one<T, E: From<Error>>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.in_one(Mode::Write, f)
    }

    fn in_one<T, E: From<Error>>(
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
            // The connection may have been dead: `transaction` drops dead ones and tries the next.
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

    /// Held for as long as a file is written to.
    fn turn(&self, mode: Mode) -> Result<Option<Turn<'_>>> {
        let (Mode::Write, Some(turns)) = (mode, &self.turns) else { return Ok(None) };
        let turn = turns.try_lock_for(TURN_TIMEOUT);
        let late = || Error::Unavailable("others have been writing for too long".into());
        Ok(Some(Turn(Some(turn.ok_or_else(late)?))))
    }

    fn connection(&self) -> Result<r2d2::PooledConnection<Manager>> {
        self.pool.get().map_err(|cause| Error::Unavailable(cause.to_string()))
    }

    /// A connection with its transaction begun. After the database went away the pool is
    /// full of dead connections: each that cannot begin is dropped and the next one tried.
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
        // A plain BEGIN that turns into a write fails at once when another is writing;
        // IMMEDIATE waits for its turn.
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

/// Rolls back when dropped, on an error as on a panic.
struct Rollback<'c>(&'c mut Engine);

type Transactions = <Engine as diesel::Connection>::TransactionManager;

impl Rollback<'_> {
    fn commit(self) -> Result<()> {
        let committed = Transactions::commit_transaction(&mut *self.0);
        // A commit that failed (a deferred key, a full disk) leaves the transaction open.
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
