//! A store with the test people, created once per run. Copying it is much faster than migrating and filling a store for
//! each test.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use gatepost::app::App;
use tempfile::TempDir;

use super::app::{config, folder};
use super::database::Database;
use super::fixed::{TestClock, TestEntropy};
use super::people;

pub struct Template {
    store: Store,
    secret_key: Vec<u8>,
    /// The position of the test's random source after the store was filled.
    entropy: u64,
}

enum Store {
    Sqlite(Vec<u8>),
    Postgres(Database),
}

/// The initial state of a test.
pub struct Copy {
    pub data: TempDir,
    pub database: Database,
    pub entropy: TestEntropy,
}

impl Template {
    pub fn sqlite() -> &'static Self {
        static TEMPLATE: OnceLock<Template> = OnceLock::new();
        TEMPLATE.get_or_init(|| Self::make(Database::sqlite))
    }

    pub fn postgres() -> &'static Self {
        static TEMPLATE: OnceLock<Template> = OnceLock::new();
        TEMPLATE.get_or_init(|| Self::make(|_| Database::postgres_template()))
    }

    fn make(database: impl FnOnce(&Path) -> Database) -> Self {
        let data = folder();
        let database = database(data.path());
        let entropy = Arc::new(TestEntropy::new());
        let config = config(data.path(), &database, &[]);
        let app = App::open(config, Arc::new(TestClock::new()), entropy.clone()).expect("an open app");
        people::create(&app);
        app.close();
        drop(app);
        database.finish();
        Self {
            secret_key: read(&data.path().join("secret.key")),
            store: match database {
                Database::Sqlite { .. } => Store::Sqlite(read(&data.path().join("gatepost.db"))),
                postgres => Store::Postgres(postgres),
            },
            entropy: entropy.position(),
        }
    }

    pub fn copy(&self) -> Copy {
        let data = folder();
        write(&data.path().join("secret.key"), &self.secret_key);
        let database = match &self.store {
            Store::Sqlite(file) => {
                write(&data.path().join("gatepost.db"), file);
                Database::sqlite(data.path())
            }
            Store::Postgres(template) => template.copy(),
        };
        Copy { data, database, entropy: TestEntropy::from_position(self.entropy) }
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("a file")
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a written file");
}
