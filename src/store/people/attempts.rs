//! Rows of `attempts`: counters within fixed time windows.

use diesel::prelude::*;
use diesel::upsert::excluded;

use crate::store::Tx;
use crate::store::backend::on_engine;
use crate::store::columns::Timestamp;
use crate::store::error::Result;
use crate::store::schema::attempts;

/// Counts an attempt in the window that began at `window_start`, and returns the number of attempts. A single statement, so that
/// all parallel attempts are counted.
pub fn bump(tx: &mut Tx<'_>, key: &[u8], window_start: Timestamp) -> Result<i32> {
    use diesel::dsl::case_when;
    let row = (attempts::key.eq(key), attempts::window_start.eq(window_start), attempts::count.eq(1));
    Ok(on_engine!(&mut *tx.connection, inner => diesel::insert_into(attempts::table)
        .values(row)
        .on_conflict(attempts::key)
        .do_update()
        .set((
            attempts::count.eq(case_when(
                attempts::window_start.eq(excluded(attempts::window_start)),
                attempts::count + 1,
            )
            .otherwise(1)),
            attempts::window_start.eq(excluded(attempts::window_start)),
        ))
        .returning(attempts::count)
        .get_result(inner))?)
}

/// Uncounts an attempt, if its window is still the current one.
pub fn give_back(tx: &mut Tx<'_>, key: &[u8], window_start: Timestamp) -> Result<()> {
    let counted = attempts::table.find(key).filter(attempts::window_start.eq(window_start));
    diesel::update(counted.filter(attempts::count.gt(0)))
        .set(attempts::count.eq(attempts::count - 1))
        .execute(tx.connection)?;
    Ok(())
}

/// Limits the size of the table by removing a tenth of the rows, those with the fewest attempts, so that a flood of single
/// attempts displaces only itself.
pub fn shrink_to(tx: &mut Tx<'_>, max: i64) -> Result<()> {
    if attempts::table.count().get_result::<i64>(tx.connection)? < max {
        return Ok(());
    }
    let fewest = (attempts::count, attempts::window_start, attempts::key);
    let keys: Vec<Vec<u8>> =
        attempts::table.select(attempts::key).order(fewest).limit(max / 10).load(tx.connection)?;
    diesel::delete(attempts::table.filter(attempts::key.eq_any(keys))).execute(tx.connection)?;
    Ok(())
}

pub fn delete_before(tx: &mut Tx<'_>, window_start: Timestamp) -> Result<()> {
    diesel::delete(attempts::table.filter(attempts::window_start.lt(window_start))).execute(tx.connection)?;
    Ok(())
}
