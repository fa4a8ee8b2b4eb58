//! Calls on their way into the record: on disk, many at once, and moved on in bulk.

use crate::domain::Result;
use crate::store::Tx;
use crate::store::access::journal as rows;
use crate::store::ids::LeaseId;

pub use rows::Batch;

/// Keeps batches of calls.
pub fn append(tx: &mut Tx<'_>, writer: LeaseId, batches: &[Vec<u8>]) -> Result<()> {
    Ok(rows::append(tx, writer, batches)?)
}

/// The newest batch; 0 when there is none.
pub fn last(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(rows::last(tx)?)
}

/// The oldest batches after the first and up to the second of `between`, but those of `others`.
pub fn oldest(tx: &mut Tx<'_>, others: &[LeaseId], between: (i64, i64), most: i64) -> Result<Vec<Batch>> {
    Ok(rows::oldest(tx, others, between, most)?)
}

/// Forgets batches whose calls are in the record.
pub fn remove(tx: &mut Tx<'_>, batches: &[i64]) -> Result<()> {
    Ok(rows::remove(tx, batches)?)
}

/// Servers besides `own` that are at work, and move their own batches on.
pub fn others_at_work(tx: &mut Tx<'_>, own: LeaseId) -> Result<Vec<LeaseId>> {
    Ok(rows::others_at_work(tx, own)?)
}
