//! The database's clock, so that servers need not agree on theirs.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::store::Tx;
use crate::store::backend::Engine;
use crate::store::error::Result;

pub fn now(tx: &mut Tx<'_>) -> Result<i64> {
    let words = match tx.connection {
        Engine::Sqlite(_) => "CAST(unixepoch('subsec') * 1000000 AS BIGINT)",
        Engine::Postgres(_) => "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)",
    };
    Ok(diesel::select(diesel::dsl::sql::<BigInt>(words)).get_result(tx.connection)?)
}
