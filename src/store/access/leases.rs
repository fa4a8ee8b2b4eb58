//! Rows of `leases`, and the access epoch. All times are the database's.

use diesel::prelude::*;

use crate::store::Tx;
use crate::store::backend::on_engine;
use crate::store::clock::now;
use crate::store::error::Result;
use crate::store::ids::LeaseId;
use crate::store::schema::{instance, leases};

pub fn epoch(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(instance::table.select(instance::access_epoch).get_result(tx.connection)?)
}

/// Takes or renews a lease for `micros`. `seen` is the latest epoch that its holder knows.
pub fn take(tx: &mut Tx<'_>, id: LeaseId, seen: i64, micros: i64) -> Result<()> {
    let until = now(tx)? + micros;
    let row = (leases::id.eq(id), leases::seen_epoch.eq(seen), leases::until.eq(until));
    on_engine!(&mut *tx.connection, inner => diesel::insert_into(leases::table)
        .values(row)
        .on_conflict(leases::id)
        .do_update()
        .set((leases::seen_epoch.eq(seen), leases::until.eq(until)))
        .execute(inner))?;
    Ok(())
}

pub fn release(tx: &mut Tx<'_>, id: LeaseId) -> Result<()> {
    let now = now(tx)?;
    let own = leases::table.filter(leases::id.eq(id).or(leases::until.lt(now - 3_600_000_000)));
    diesel::delete(own).execute(tx.connection)?;
    Ok(())
}

pub fn others_behind(tx: &mut Tx<'_>, own: LeaseId, epoch: i64) -> Result<bool> {
    let now = now(tx)?;
    let behind = leases::table
        .filter(leases::id.ne(own))
        .filter(leases::until.ge(now).and(leases::seen_epoch.lt(epoch)));
    let first: Option<LeaseId> = behind.select(leases::id).first(tx.connection).optional()?;
    Ok(first.is_some())
}

pub fn other_servers(tx: &mut Tx<'_>, own: LeaseId) -> Result<Vec<LeaseId>> {
    let now = now(tx)?;
    let others = leases::table.filter(leases::id.ne(own).and(leases::until.ge(now)));
    Ok(others.select(leases::id).load(tx.connection)?)
}
