//! A separate store for each test, with either engine.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::{PgConnection, SqliteConnection, sql_query};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// The database of a test. A Postgres database is dropped with this value.
pub enum Database {
    Sqlite { url: String },
    Postgres { url: String, name: String },
}

impl Database {
    pub fn sqlite(folder: &Path) -> Self {
        Self::Sqlite { url: format!("sqlite:{}", folder.join("gatepost.db").display()) }
    }

    /// Creates an empty database with a unique name.
    pub fn postgres() -> Self {
        Self::create_postgres(&next_number(), "")
    }

    /// Creates a database that all tests of this process copy.
    pub fn postgres_template() -> Self {
        drop_abandoned_templates();
        let mut keeper = open_postgres(&server());
        let name = name_of("template");
        sql_query(format!("SET application_name = {name}")).execute(&mut keeper).expect("a name");
        // The connection closes when the process ends.
        std::mem::forget(keeper);
        Self::create_postgres("template", "")
    }

    /// Copies a Postgres database; see [`Self::finish`].
    pub fn copy(&self) -> Self {
        let Self::Postgres { name, .. } = self else { unreachable!("a SQLite store is a file to copy") };
        Self::create_postgres(&next_number(), &format!("TEMPLATE {name} STRATEGY FILE_COPY"))
    }

    fn create_postgres(suffix: &str, options: &str) -> Self {
        let (name, server) = (name_of(suffix), server());
        on_server(&format!("CREATE DATABASE {name} {options}"));
        let (server, _) = server.rsplit_once('/').expect("an address that ends in a database");
        Self::Postgres { url: format!("{server}/{name}"), name }
    }

    /// Ends all use of the database, with all data in its file or tables.
    pub fn finish(&self) {
        match self {
            Self::Sqlite { url } => {
                let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
                open_sqlite(url).batch_execute(checkpoint).expect("a checkpoint");
            }
            Self::Postgres { name, .. } => {
                on_server(&format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"));
                on_server(&format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                ));
            }
        }
    }

    pub fn url(&self) -> &str {
        match self {
            Self::Sqlite { url } | Self::Postgres { url, .. } => url,
        }
    }

    /// Runs one statement, without the server's knowledge. Returns the number of changed rows, or the
    /// engine's error.
    pub fn execute(&self, sql: &str) -> Result<usize, String> {
        let done = match self {
            Self::Sqlite { url } => sql_query(sql).execute(&mut open_sqlite(url)),
            Self::Postgres { url, .. } => sql_query(sql).execute(&mut open_postgres(url)),
        };
        done.map_err(|cause| cause.to_string())
    }

    /// Runs a statement without checking foreign keys.
    pub fn execute_unchecked(&self, sql: &str) {
        let done = match self {
            Self::Sqlite { url } => {
                open_sqlite(url).batch_execute(&format!("PRAGMA foreign_keys = OFF; {sql}"))
            }
            Self::Postgres { url, .. } => {
                open_postgres(url).batch_execute(&format!("SET session_replication_role = replica; {sql}"))
            }
        };
        done.expect("a successful statement");
    }

    /// Blocks all other writers until it is dropped. SQLite only.
    pub fn lock(&self) -> SqliteConnection {
        let mut connection = open_sqlite(self.url());
        sql_query("BEGIN IMMEDIATE").execute(&mut connection).expect("the lock");
        connection
    }

    /// Blocks all other writers, or in Postgres those of this table, until it is dropped.
    pub fn block_writers(&self, table: &str) -> Box<dyn std::any::Any> {
        let Self::Postgres { url, .. } = self else { return Box::new(self.lock()) };
        let mut connection = open_postgres(url);
        sql_query("BEGIN").execute(&mut connection).expect("a transaction");
        let lock = format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        sql_query(lock).execute(&mut connection).expect("the lock");
        Box::new(connection)
    }

    /// Returns the column `t` of a query.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        let rows: Vec<TextRow> = match self {
            Self::Sqlite { url } => sql_query(sql).load(&mut open_sqlite(url)),
            Self::Postgres { url, .. } => sql_query(sql).load(&mut open_postgres(url)),
        }
        .expect("rows");
        rows.into_iter().map(|row| row.t).collect()
    }

    /// Returns SQL for a column of bytes as lower-case hexadecimal digits.
    pub fn hex(&self, column: &str) -> String {
        match self {
            Self::Sqlite { .. } => format!("lower(hex({column}))"),
            Self::Postgres { .. } => format!("encode({column}, 'hex')"),
        }
    }

    /// Whether no calls are waiting in the journal.
    pub fn journal_is_empty(&self) -> bool {
        let own = self.journal();
        own.as_ref().unwrap_or(self).number("SELECT count(*) AS n FROM call_batches") == 0
    }

    /// Copies the calls in the journal. The returned function puts them back.
    pub fn keep_journal(&self) -> Box<dyn Fn() + '_> {
        let own = self.journal();
        let execute = move |sql| own.as_ref().unwrap_or(self).execute(sql);
        execute("CREATE TABLE kept AS SELECT writer, calls FROM call_batches").expect("a copy");
        let back = "INSERT INTO call_batches (writer, calls) SELECT writer, calls FROM kept";
        Box::new(move || assert!(execute(back).expect("copied batches") > 0))
    }

    /// SQLite's journal file.
    fn journal(&self) -> Option<Self> {
        let Self::Sqlite { url } = self else { return None };
        Some(Self::Sqlite { url: format!("{url}-calls") })
    }

    /// Returns the column `n` of a query with one row.
    pub fn number(&self, sql: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            n: i64,
        }
        let row: Row = match self {
            Self::Sqlite { url } => sql_query(sql).get_result(&mut open_sqlite(url)),
            Self::Postgres { url, .. } => sql_query(sql).get_result(&mut open_postgres(url)),
        }
        .expect("one row");
        row.n
    }
}

impl Database {
    /// Returns the number of pages in SQLite's WAL that are not yet in the file.
    pub fn log(&self) -> i32 {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Integer)]
            log: i32,
        }
        let row: Row =
            sql_query("PRAGMA wal_checkpoint(NOOP)").get_result(&mut open_sqlite(self.url())).expect("a log");
        row.log
    }

    /// Whether a text is anywhere in the store, in any column of any table.
    pub fn holds(&self, text: &str) -> bool {
        match self {
            Self::Sqlite { url } => sqlite_files_hold(url, text),
            // A row as text shows bytes as hexadecimal digits.
            Self::Postgres { .. } => [text.to_owned(), hex(text)].iter().any(|it| {
                let rows = "query_to_xml(format('SELECT t::text FROM %I t', table_name), true, false, '')";
                let sql = format!(
                    "SELECT count(*) AS n FROM information_schema.tables
                     WHERE table_schema = 'public' AND {rows}::text LIKE '%{it}%'"
                );
                self.number(&sql) > 0
            }),
        }
    }
}

/// Searches the file and its WAL.
fn sqlite_files_hold(url: &str, text: &str) -> bool {
    let path = url.trim_start_matches("sqlite:");
    [path.to_owned(), format!("{path}-wal")].iter().any(|path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { name, .. } = self {
            // Errors are ignored: the test may be failing already, and leftovers are removed later.
            if let Ok(mut connection) = PgConnection::establish(&server()) {
                let _ = sql_query(format!("DROP DATABASE {name} WITH (FORCE)")).execute(&mut connection);
            }
        }
    }
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = diesel::sql_types::Text)]
    t: String,
}

fn name_of(suffix: &str) -> String {
    format!("gatepost_{}_{suffix}", std::process::id())
}

fn next_number() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed).to_string()
}

/// Drops templates of ended test processes. A running one has an open connection with the name of its
/// template.
fn drop_abandoned_templates() {
    let abandoned = "SELECT datname AS t FROM pg_database
        WHERE datname LIKE 'gatepost\\_%\\_template' AND NOT EXISTS
            (SELECT 1 FROM pg_stat_activity WHERE application_name = pg_database.datname)";
    let mut server = open_postgres(&server());
    let names: Vec<TextRow> = sql_query(abandoned).load(&mut server).expect("names");
    for TextRow { t: name } in names {
        // Another process may be dropping it, too.
        let _ = sql_query(format!("DROP DATABASE {name} WITH (FORCE)")).execute(&mut server);
    }
}

fn server() -> String {
    std::env::var("GATEPOST_TEST_POSTGRES").expect("no Postgres: run tests/run")
}

fn on_server(sql: &str) {
    sql_query(sql).execute(&mut open_postgres(&server())).expect("a successful statement");
}

fn open_sqlite(url: &str) -> SqliteConnection {
    let path = url.trim_start_matches("sqlite:");
    let mut connection = SqliteConnection::establish(path).expect("an open file");
    sql_query("PRAGMA busy_timeout = 5000").execute(&mut connection).expect("a setting");
    connection
}

fn open_postgres(url: &str) -> PgConnection {
    PgConnection::establish(url).expect("a Postgres that responds")
}
