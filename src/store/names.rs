//! Names and their keys, in every table that has both.

use diesel::prelude::*;

use super::Tx;
use super::error::Result;
use super::schema::{contacts, instance, teams, tokens};

#[derive(Clone, Copy, Debug)]
pub enum Named {
    Teams,
    Tokens,
    Contacts,
}

impl Named {
    pub const ALL: [Self; 3] = [Self::Teams, Self::Tokens, Self::Contacts];
}

/// A name as typed, and its stored key.
pub struct Name {
    pub id: Vec<u8>,
    pub name: String,
    pub key: String,
}

/// The version of the rule for the stored keys.
pub fn rule(tx: &mut Tx<'_>) -> Result<i32> {
    Ok(instance::table.select(instance::name_keys).get_result(tx.connection)?)
}

pub fn set_rule(tx: &mut Tx<'_>, rule: i32) -> Result<()> {
    diesel::update(instance::table).set(instance::name_keys.eq(rule)).execute(tx.connection)?;
    Ok(())
}

/// The next names after an id, in the order of creation.
pub fn after(tx: &mut Tx<'_>, named: Named, id: &[u8], most: i64) -> Result<Vec<Name>> {
    macro_rules! of {
        ($table:ident, $name:expr, $key:expr) => {
            $table::table.filter($table::id.gt(id.to_vec())).order($table::id.asc()).limit(most).select((
                $table::id,
                $name,
                $key,
            ))
        };
    }
    let rows: Vec<(Vec<u8>, String, String)> = match named {
        Named::Teams => of!(teams, teams::name, teams::name_key).load(tx.connection)?,
        Named::Tokens => of!(tokens, tokens::name, tokens::name_key).load(tx.connection)?,
        Named::Contacts => {
            of!(contacts, contacts::name.assume_not_null(), contacts::name_key.assume_not_null())
                .filter(contacts::name.is_not_null().and(contacts::name_key.is_not_null()))
                .load(tx.connection)?
        }
    };
    Ok(rows.into_iter().map(|(id, name, key)| Name { id, name, key }).collect())
}

/// # Errors
/// `Conflict` if another row has that key.
pub fn set_key(tx: &mut Tx<'_>, named: Named, id: &[u8], key: &str) -> Result<()> {
    macro_rules! set {
        ($table:ident) => {
            diesel::update($table::table.filter($table::id.eq(id)))
                .set($table::name_key.eq(key))
                .execute(tx.connection)?
        };
    }
    match named {
        Named::Teams => set!(teams),
        Named::Tokens => set!(tokens),
        Named::Contacts => set!(contacts),
    };
    Ok(())
}
