//! The access epoch, which invalidates cached tokens. [`crate::gate`] explains the protocol.
//!
//! Every change that could turn a yes into a no advances the epoch in its own transaction, by triggers of
//! the store. A process can use its token cache only while it holds a lease: a row with an end time and
//! the latest epoch the process has seen. A change is confirmed only when no unexpired lease of another
//! process is behind its epoch.

use crate::domain::Result;
use crate::store::Tx;
use crate::store::access::leases as rows;

pub use crate::store::ids::LeaseId;

/// In microseconds. A process that stops responding delays a revocation by at most this long.
pub const LEASE: i64 = 2_000_000;

pub fn current(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(rows::epoch(tx)?)
}

/// Takes or renews a lease, with `seen` as the latest epoch its holder has seen.
pub fn take_lease(tx: &mut Tx<'_>, id: LeaseId, seen: i64) -> Result<()> {
    Ok(rows::take(tx, id, seen, LEASE)?)
}

pub fn release(tx: &mut Tx<'_>, id: LeaseId) -> Result<()> {
    Ok(rows::release(tx, id)?)
}

/// Whether another process may still use a cache older than `epoch`.
pub fn others_behind(tx: &mut Tx<'_>, own: LeaseId, epoch: i64) -> Result<bool> {
    Ok(rows::others_behind(tx, own, epoch)?)
}
