//! Two engines behind one connection type: opening, pragmas and pooling.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::r2d2::R2D2Connection;
use diesel::sqlite::SqliteConnection;

use super::error::{Error, Result};

/// The retries and their interval while another process switches a new file to WAL.
const TRIES: u32 = 500;
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

#[derive(diesel::MultiConnection)]
pub enum Engine {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

pub type Backend = <Engine as diesel::Connection>::Backend;

/// Runs one expression on the inner connection, for what `MultiConnection` does not support: upserts,
/// batches and engine-specific SQL.
macro_rules! on_engine {
    ($connection:expr, $inner:ident => $expression:expr) => {
        match $connection {
            $crate::store::backend::Engine::Sqlite($inner) => $expression,
            $crate::store::backend::Engine::Postgres($inner) => $expression,
        }
    };
}
pub(crate) use on_engine;

/// Without `Debug`, because a Postgres URL can contain a password.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Location {
    /// # Errors
    /// A sentence for the operator if `url` is neither `sqlite:PATH` nor `postgres://…`.
    pub fn parse(url: &str) -> std::result::Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" | ":memory:" => Err("sqlite: must be followed by the path of a file".into()),
                path => Ok(Self::Sqlite(path.into())),
            };
        }
        let host = ["postgres://", "postgresql://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        match host {
            Some(rest) if !rest.is_empty() => Ok(Self::Postgres(with_timeouts(url))),
            _ => Err("expected sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE".into()),
        }
    }

    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// Whether the database is a file, which only one server can serve at a time.
    pub fn is_file(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// The path of the database with a suffix. `None` for Postgres.
    pub fn beside(&self, suffix: &str) -> Option<PathBuf> {
        match self {
            Self::Sqlite(path) => {
                let mut name = path.clone().into_os_string();
                name.push(suffix);
                Some(name.into())
            }
            Self::Postgres(_) => None,
        }
    }

    pub fn connect(&self) -> Result<Engine> {
        match self {
            Self::Sqlite(path) => open_sqlite(path).map(Engine::Sqlite),
            Self::Postgres(url) => open_postgres(url).map(Engine::Postgres),
        }
    }

    /// Opens a connection without statement timeouts. It does not create a missing database.
    ///
    /// # Errors
    /// [`Error::Unusable`] if the file does not exist.
    pub fn connect_patiently(&self) -> Result<Engine> {
        if let Self::Sqlite(path) = self
            && !path.exists()
        {
            return Err(Error::Unusable(format!("there is no store at {}", path.display())));
        }
        let mut engine = self.connect()?;
        if let Engine::Postgres(inner) = &mut engine {
            inner.batch_execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")?;
        }
        Ok(engine)
    }
}

/// libpq adds hints in further lines.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// By default, libpq waits forever for a host that drops packets.
const TIMEOUTS: [(&str, &str); 5] = [
    ("connect_timeout", "3"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "10000"),
];

fn with_timeouts(url: &str) -> String {
    let missing = TIMEOUTS.iter().filter(|(name, _)| !url.contains(&format!("{name}=")));
    missing.fold(url.to_owned(), |url, (name, value)| {
        let joint = if url.contains('?') { '&' } else { '?' };
        format!("{url}{joint}{name}={value}")
    })
}

/// Statements time out before their callers do. Postgres rolls back the transactions of paused or disconnected processes,
/// because their locks would block revocations.
fn open_postgres(url: &str) -> Result<PgConnection> {
    let mut connection =
        PgConnection::establish(url).map_err(|cause| Error::Unavailable(first_line(&cause.to_string())))?;
    connection
        .batch_execute("SET statement_timeout = '8s'; SET idle_in_transaction_session_timeout = '4s'")?;
    Ok(connection)
}

fn open_sqlite(path: &std::path::Path) -> Result<SqliteConnection> {
    let name = path.to_str().ok_or_else(|| Error::Unusable("the store's path is not UTF-8".into()))?;
    // SQLite would create the file readable for everyone. It reports failures itself.
    let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut connection = SqliteConnection::establish(name)
        .map_err(|cause| Error::Unavailable(format!("{}: {cause}", path.display())))?;
    // FULL: a committed change survives a power failure.
    connection.batch_execute(
        "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;",
    )?;
    use_wal(&mut connection)?;
    Ok(connection)
}

/// If several processes open a new file at once, one of them switches it to WAL. The others get
/// `SQLITE_BUSY` at once, regardless of `busy_timeout`, so they retry.
fn use_wal(connection: &mut SqliteConnection) -> Result<()> {
    let mut tries = TRIES;
    loop {
        let used = connection.batch_execute("PRAGMA journal_mode = WAL;");
        match used.map_err(Error::from) {
            Err(Error::Unavailable(_)) if tries > 0 => tries -= 1,
            other => return other,
        }
        std::thread::sleep(RETRY_INTERVAL);
    }
}

pub struct Manager {
    pub location: Location,
    /// For SQLite, in addition to the pragmas of every connection.
    pub pragmas: &'static str,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Engine;
    type Error = Error;

    fn connect(&self) -> Result<Engine> {
        let mut engine = self.location.connect()?;
        if let Engine::Sqlite(inner) = &mut engine {
            inner.batch_execute(self.pragmas)?;
        }
        Ok(engine)
    }

    /// Never called, because BEGIN at the start of each use detects dead connections at no extra cost.
    fn is_valid(&self, connection: &mut Engine) -> Result<()> {
        on_engine!(connection, inner => R2D2Connection::ping(inner))?;
        Ok(())
    }

    fn has_broken(&self, connection: &mut Engine) -> bool {
        std::thread::panicking() || on_engine!(connection, inner => R2D2Connection::is_broken(inner))
    }
}
