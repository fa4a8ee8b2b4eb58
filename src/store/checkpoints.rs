//! Checkpoints SQLite's write-ahead log.
//!
//! By default, SQLite checkpoints a long log during a commit, while all writers wait. [`Store::tidy`] does it in the
//! background.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Integer;

use super::backend::Engine;
use super::error::Result;
use super::{Mode, Store};

/// The minimum number of pages for a checkpoint, half of the number at which a commit does it.
const MIN_PAGES: i32 = 8192;

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    log: i32,
}

impl Store {
    /// Empties the log if it is long: most of it in the background, and the rest while writers wait, so that the next
    /// writer starts a new log. Postgres does so automatically.
    ///
    /// # Errors
    /// If the file can't be read or written.
    pub fn tidy(&self) -> Result<()> {
        if self.turns.is_none() || self.checkpoint("NOOP")? < MIN_PAGES {
            return Ok(());
        }
        self.checkpoint("PASSIVE")?;
        let _turn = self.turn(Mode::Write)?;
        self.checkpoint("PASSIVE")?;
        Ok(())
    }

    fn checkpoint(&self, mode: &str) -> Result<i32> {
        let mut connection = self.connection()?;
        let Engine::Sqlite(inner) = &mut *connection else { return Ok(0) };
        let checkpoint: Checkpoint = sql_query(format!("PRAGMA wal_checkpoint({mode})")).get_result(inner)?;
        Ok(checkpoint.log)
    }
}
