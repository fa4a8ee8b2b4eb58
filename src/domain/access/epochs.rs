//! The access epoch: how processes that remember verified tokens learn that they must not.
//!
//! Every change that could turn a yes into a no advances the epoch in its own transaction
//! (the store's triggers see to it). A process may answer out of its memory only under a
//! lease, a row that says until when and up to which epoch it knows. A change waits,
//! before it is confirmed, until no lease of another process is behind it.

use crate::domain::Result;
use crate::store::Tx;
use crate::store::access::leases as rows;

pub use crate::store::ids::LeaseId;

/// How long a lease holds, in microseconds: the most that a process which stopped answering
/// can hold up a revocation.
pub const LEASE: i64 = 2_000_000;

/// Changes of access so far.
pub fn current(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(rows::epoch(tx)?)
}

/// Takes or prolongs a lease, and says that everything up to `seen` is known.
pub fn hold(tx: &mut Tx<'_>, id: LeaseId, seen: i64) -> Result<()> {
    Ok(rows::hold(tx, id, seen, LEASE)?)
}

/// Gives a lease back: from now on every call asks the store.
pub fn release(tx: &mut Tx<'_>, id: LeaseId) -> Result<()> {
    Ok(rows::release(tx, id)?)
}

/// Whether another process may still answer out of a memory older than `epoch`.
pub fn others_behind(tx: &mut Tx<'_>, own: LeaseId, epoch: i64) -> Result<bool> {
    Ok(rows::others_behind(tx, own, epoch)?)
}
