//! Checkpoints of SQLite's write-ahead log.
//!
//! By default SQLite checkpoints in the commit that finds the log long, and all writers wait
//! meanwhile. [`Store::tidy`] does it beside them.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Integer;

use super::backend::Engine;
use super::error::Result;
use super::{Mode, Store};

/// The minimum number of pages for a checkpoint: half of the number at which a commit does it.
const LONG: i32 = 8192;

#[derive(QueryableByName)]
struct Checkpoint {
    /// Pages in the log; -1 where there is none.
    #[diesel(sql_type = Integer)]
    log: i32,
}

impl Store {
    /// Empties the log if it is long: most of it beside the writers, the rest while they wait in
    /// line, so that the next one starts a new log. Postgres does so automatically.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn tidy(&self) -> Result<()> {
        if self.turns.is_none() || self.checkpoint("NOOP")? < LONG {
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
