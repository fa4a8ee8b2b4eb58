//! [`team_rows`] generates common statements for tables of team rows, always with the team in the condition, so that other
//! teams' rows are not found:
//!
//! - `insert(tx, row)`
//! - `find(tx, team, id)`, and `lock`, which locks the row until the transaction ends
//! - `list(tx, team, filter, window)`, newest first, and `count(tx, team, filter, limit)`, which stops at
//!   `limit`; both use the table's own `narrowed(team, filter)` for a boxed query
//! - `save(tx, row)` updates a locked row, and returns false if there is none
//! - `delete(tx, team, id)`
//!
//! A table lists the statements that it uses. With `gone = column`, a row with a value in that column counts as deleted.

macro_rules! team_rows {
    ($table:ident, $row:ident, $id:ident, gone = $gone:ident: $($function:ident),+) => {
        $($crate::store::team_rows::team_rows!(@$function $table, $row, $id, [$gone]);)+
    };
    ($table:ident, $row:ident, $id:ident: $($function:ident),+) => {
        $($crate::store::team_rows::team_rows!(@$function $table, $row, $id, []);)+
    };

    (@row $table:ident, [$($gone:ident)?], $team:expr, $id:expr) => {
        $table::table
            .filter($table::id.eq($id).and($table::team_id.eq($team)))
            $(.filter($table::$gone.is_null()))?
    };

    (@insert $table:ident, $row:ident, $id:ident, $gone:tt) => {
        /// # Errors
        /// `Conflict` if a unique index rejects the row.
        pub fn insert(tx: &mut $crate::store::Tx<'_>, row: &$row) -> $crate::store::Result<()> {
            diesel::insert_into($table::table).values(row).execute(tx.connection)?;
            Ok(())
        }
    };

    (@find $table:ident, $row:ident, $id:ident, $gone:tt) => {
        pub fn find(
            tx: &mut $crate::store::Tx<'_>,
            team: $crate::store::ids::TeamId,
            id: $id,
        ) -> $crate::store::Result<Option<$row>> {
            let found = $crate::store::team_rows::team_rows!(@row $table, $gone, team, id);
            $crate::store::error::OptionalRow::optional_row(
                found.select(<$row>::as_select()).get_result(tx.connection),
            )
        }
    };

    (@lock $table:ident, $row:ident, $id:ident, $gone:tt) => {
        /// Finds and locks the row until the transaction ends. On SQLite, the write transaction is the
        /// lock.
        pub fn lock(
            tx: &mut $crate::store::Tx<'_>,
            team: $crate::store::ids::TeamId,
            id: $id,
        ) -> $crate::store::Result<Option<$row>> {
            use $crate::store::backend::Engine;
            let found = $crate::store::team_rows::team_rows!(@row $table, $gone, team, id);
            $crate::store::error::OptionalRow::optional_row(match &mut *tx.connection {
                Engine::Sqlite(inner) => found.select(<$row>::as_select()).get_result(inner),
                Engine::Postgres(inner) => {
                    found.select(<$row>::as_select()).for_no_key_update().get_result(inner)
                }
            })
        }
    };

    (@list $table:ident, $row:ident, $id:ident, $gone:tt) => {
        /// Newest first.
        pub fn list(
            tx: &mut $crate::store::Tx<'_>,
            team: $crate::store::ids::TeamId,
            filter: &Filter,
            window: $crate::store::lists::Window<$id>,
        ) -> $crate::store::Result<Vec<$row>> {
            let query = narrowed(team, filter);
            Ok($crate::store::lists::list_rows!(tx, $table, $row, query, window))
        }
    };

    (@count $table:ident, $row:ident, $id:ident, $gone:tt) => {
        /// Counts the rows of the list, and stops at `limit`.
        pub fn count(
            tx: &mut $crate::store::Tx<'_>,
            team: $crate::store::ids::TeamId,
            filter: &Filter,
            limit: i64,
        ) -> $crate::store::Result<i64> {
            // The order makes the engine use an index.
            let query = narrowed(team, filter).order($table::id.desc()).limit(limit);
            let ids: Vec<$id> = query.select($table::id).load(tx.connection)?;
            Ok(ids.len() as i64)
        }
    };

    (@save $table:ident, $row:ident, $id:ident, $gone:tt) => {
        /// # Errors
        /// `Conflict` if a unique index rejects the row.
        pub fn save(tx: &mut $crate::store::Tx<'_>, row: &$row) -> $crate::store::Result<bool> {
            let held = $crate::store::team_rows::team_rows!(@row $table, $gone, row.team_id, row.id);
            Ok(diesel::update(held).set(row).execute(tx.connection)? == 1)
        }
    };

    (@delete $table:ident, $row:ident, $id:ident, $gone:tt) => {
        /// Returns the deleted row.
        pub fn delete(
            tx: &mut $crate::store::Tx<'_>,
            team: $crate::store::ids::TeamId,
            id: $id,
        ) -> $crate::store::Result<Option<$row>> {
            let found = $crate::store::team_rows::team_rows!(@row $table, $gone, team, id);
            $crate::store::error::OptionalRow::optional_row($crate::store::backend::on_engine!(
                &mut *tx.connection,
                inner => diesel::delete(found).returning(<$row>::as_returning()).get_result(inner)
            ))
        }
    };
}
pub(in crate::store) use team_rows;
