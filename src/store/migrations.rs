use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::backend::{Engine, Location, on_engine};
use super::error::{Error, Result};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

type Migrations<DB> = Vec<Box<dyn Migration<DB>>>;

/// Migrates the schema to this program's version. Call it inside a write transaction after [`lock_schema`], so that
/// concurrently started programs take turns.
///
/// # Errors
/// [`Error::Unusable`] if a newer program wrote the store.
pub fn migrate(connection: &mut Engine) -> Result<()> {
    match connection {
        Engine::Sqlite(inner) => run(inner, listed(SQLITE)?),
        Engine::Postgres(inner) => run(inner, listed(POSTGRES)?),
    }
}

/// On SQLite, the write transaction is the lock. Disables timeouts, because migrations may take long.
pub fn lock_schema(connection: &mut Engine) -> Result<()> {
    if let Engine::Postgres(inner) = connection {
        inner.batch_execute("SET LOCAL statement_timeout = 0")?;
        diesel::sql_query("SELECT pg_advisory_xact_lock(7205759403792793)").execute(inner)?;
    }
    Ok(())
}

fn run<DB: Backend>(connection: &mut impl MigrationHarness<DB>, known: Migrations<DB>) -> Result<()> {
    let applied = connection.applied_migrations().map_err(fault)?;
    let newer = applied.iter().find(|version| known.iter().all(|each| each.name().version() != **version));
    if let Some(version) = newer {
        return Err(Error::Unusable(format!(
            "the store was written by a newer Gatepost (schema {version}); start that version, or restore a backup"
        )));
    }
    for each in known.iter().filter(|each| !applied.contains(&each.name().version())) {
        connection.run_migration(each).map_err(fault)?;
    }
    Ok(())
}

/// Creates the schema of these versions in an empty database.
pub fn migrate_to(connection: &mut Engine, versions: &[String]) -> Result<()> {
    fn only<DB: Backend>(mut list: Migrations<DB>, versions: &[String]) -> Migrations<DB> {
        list.retain(|each| versions.contains(&each.name().version().to_string()));
        list
    }
    match connection {
        Engine::Sqlite(inner) => run(inner, only(listed(SQLITE)?, versions)),
        Engine::Postgres(inner) => run(inner, only(listed(POSTGRES)?, versions)),
    }
}

pub fn known(location: &Location) -> Result<Vec<String>> {
    fn names<DB: Backend>(list: &Migrations<DB>) -> Vec<String> {
        list.iter().map(|each| each.name().version().to_string()).collect()
    }
    Ok(match location {
        Location::Sqlite(_) => names::<Sqlite>(&listed(SQLITE)?),
        Location::Postgres(_) => names::<Pg>(&listed(POSTGRES)?),
    })
}

/// Returns the versions of a store, oldest first. Changes nothing.
///
/// # Errors
/// [`Error::Unusable`] if it is not a store of Gatepost.
pub fn applied(connection: &mut Engine) -> Result<Vec<String>> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        version: String,
    }
    let query = "SELECT version FROM __diesel_schema_migrations ORDER BY version";
    let rows: diesel::QueryResult<Vec<Row>> =
        on_engine!(connection, inner => diesel::sql_query(query).load(inner));
    match rows.map_err(Error::from) {
        Ok(rows) => Ok(rows.into_iter().map(|row| row.version).collect()),
        Err(Error::Fault(_)) => Err(Error::Unusable("there is no store of Gatepost here".into())),
        Err(error) => Err(error),
    }
}

fn listed<DB: Backend>(migrations: EmbeddedMigrations) -> Result<Migrations<DB>>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let mut list = migrations.migrations().map_err(fault)?;
    list.sort_by_key(|each| each.name().version().to_string());
    Ok(list)
}

fn fault(cause: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Fault(cause.to_string())
}
