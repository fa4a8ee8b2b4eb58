//! The single row of `instance`.

use diesel::prelude::*;

use crate::store::Tx;
use crate::store::columns::Timestamp;
use crate::store::error::Result;
use crate::store::schema::instance;

pub fn is_set_up(tx: &mut Tx<'_>) -> Result<bool> {
    let at: Option<Timestamp> = instance::table.select(instance::set_up_at).get_result(tx.connection)?;
    Ok(at.is_some())
}

/// Returns true in the one transaction that sets the instance up. Others wait for it and get false.
pub fn claim_set_up(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool> {
    let unclaimed = instance::table.filter(instance::set_up_at.is_null());
    let claimed = diesel::update(unclaimed).set(instance::set_up_at.eq(now)).execute(tx.connection)?;
    Ok(claimed == 1)
}

/// Returns the check value of the store's first secret key, or stores `check` if there is none.
pub fn key_check(tx: &mut Tx<'_>, check: &[u8]) -> Result<Vec<u8>> {
    let unset = instance::table.filter(instance::key_check.is_null());
    diesel::update(unset).set(instance::key_check.eq(check)).execute(tx.connection)?;
    let kept: Option<Vec<u8>> = instance::table.select(instance::key_check).get_result(tx.connection)?;
    Ok(kept.unwrap_or_default())
}
