use diesel::prelude::*;

use crate::store::Tx;
use crate::store::backend::Engine;
use crate::store::columns::Timestamp;
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::UserId;
use crate::store::schema::users;

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = users)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub email_key: String,
    pub name: String,
    pub password_hash: String,
    pub password_changed_at: Timestamp,
    pub created_at: Timestamp,
    /// The person whose invitation created the account. If set, the email address is not verified.
    pub vouched_by: Option<String>,
}

pub fn insert(tx: &mut Tx<'_>, user: &User) -> Result<()> {
    diesel::insert_into(users::table).values(user).execute(tx.connection)?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, id: UserId) -> Result<Option<User>> {
    users::table.find(id).select(User::as_select()).get_result(tx.connection).optional_row()
}

pub fn touch(tx: &mut Tx<'_>, id: UserId, seen: Timestamp) -> Result<()> {
    let earlier = users::last_seen_at.is_null().or(users::last_seen_at.assume_not_null().lt(seen));
    diesel::update(users::table.find(id).filter(earlier))
        .set(users::last_seen_at.eq(seen))
        .execute(tx.connection)?;
    Ok(())
}

/// Locks a person's row until the transaction ends. SQLite's write transaction needs no lock.
pub fn lock(tx: &mut Tx<'_>, id: UserId) -> Result<()> {
    if let Engine::Postgres(inner) = &mut *tx.connection {
        users::table.find(id).select(users::id).for_no_key_update().get_result::<UserId>(inner).optional()?;
    }
    Ok(())
}

pub fn find_by_email(tx: &mut Tx<'_>, email_key: &str) -> Result<Option<User>> {
    users::table
        .filter(users::email_key.eq(email_key))
        .select(User::as_select())
        .get_result(tx.connection)
        .optional_row()
}

pub fn set_name(tx: &mut Tx<'_>, id: UserId, name: &str) -> Result<()> {
    diesel::update(users::table.find(id)).set(users::name.eq(name)).execute(tx.connection)?;
    Ok(())
}

pub fn set_password(tx: &mut Tx<'_>, id: UserId, hash: &str, now: Timestamp) -> Result<()> {
    diesel::update(users::table.find(id))
        .set((users::password_hash.eq(hash), users::password_changed_at.eq(now)))
        .execute(tx.connection)?;
    Ok(())
}
