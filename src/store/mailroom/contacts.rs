use diesel::prelude::*;

use crate::store::Tx;
use crate::store::backend::{Backend, on_engine};
use crate::store::columns::{Timestamp, text_enum};
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{TeamId, id_type};
use crate::store::lists::{ESCAPE, like};
use crate::store::prepared::Prepared;
use crate::store::team_rows::team_rows;

diesel::table! {
    contacts (id) {
        id -> Binary,
        team_id -> Binary,
        address -> Text,
        address_key -> Text,
        name -> Nullable<Text>,
        name_key -> Nullable<Text>,
        note -> Nullable<Text>,
        state -> Text,
        received -> BigInt,
        first_seen_at -> Nullable<BigInt>,
        last_seen_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

id_type!(ContactId, "con_", "contact", "ae");

text_enum! {
    ContactState { Unset = "unset", Allowed = "allowed", Blocked = "blocked" }
}

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = contacts)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Contact {
    pub id: ContactId,
    pub team_id: TeamId,
    pub address: String,
    pub address_key: String,
    pub name: Option<String>,
    pub name_key: Option<String>,
    pub note: Option<String>,
    pub state: ContactState,
    pub received: i64,
    pub first_seen_at: Option<Timestamp>,
    pub last_seen_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// `None` does not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub state: Option<ContactState>,
    /// Part of the address or the name, in lower case.
    pub text: Option<String>,
}

team_rows! { contacts, Contact, ContactId: insert, find, hold, list, count, save, delete }

/// Inserts the contact unless another transaction just did, and returns the row.
pub fn insert_or_find(tx: &mut Tx<'_>, contact: &Contact) -> Result<Contact> {
    on_engine!(&mut *tx.connection, inner => diesel::insert_into(contacts::table)
        .values(contact)
        .on_conflict_do_nothing()
        .execute(inner))?;
    Ok(contacts::table
        .filter(contacts::team_id.eq(contact.team_id))
        .filter(contacts::address_key.eq(&contact.address_key))
        .select(Contact::as_select())
        .get_result(tx.connection)?)
}

pub fn find_by_address(tx: &mut Tx<'_>, team: TeamId, key: &str) -> Result<Option<Contact>> {
    on_engine!(&mut *tx.connection, inner => contacts::table
        .filter(contacts::team_id.eq(team).and(contacts::address_key.eq(key)))
        .select(Contact::as_select())
        .get_result(inner))
    .optional_row()
}

fn narrowed<'q>(team: TeamId, filter: &Filter) -> contacts::BoxedQuery<'q, Backend> {
    let mut query = contacts::table.filter(contacts::team_id.eq(team)).into_boxed();
    if let Some(state) = filter.state {
        query = query.filter(contacts::state.eq(state));
    }
    if let Some(text) = &filter.text {
        let text = format!("%{}%", like(text));
        let address = contacts::address_key.like(text.clone()).escape(ESCAPE);
        // Otherwise a missing name would make the whole condition NULL.
        let name = contacts::name_key
            .is_not_null()
            .and(contacts::name_key.assume_not_null().like(text).escape(ESCAPE));
        query = query.filter(address.or(name));
    }
    query
}

pub fn count_arrival(tx: &mut Tx<'_>, id: ContactId, first: bool, now: Timestamp) -> Result<()> {
    on_engine!(&mut *tx.connection, inner => Prepared(diesel::update(contacts::table.find(id))
        .set((contacts::received.eq(contacts::received + 1), contacts::last_seen_at.eq(now)))
        .returning(contacts::id))
        .load::<ContactId>(inner))?;
    if first {
        diesel::update(contacts::table.find(id).filter(contacts::first_seen_at.is_null()))
            .set(contacts::first_seen_at.eq(now))
            .execute(tx.connection)?;
    }
    Ok(())
}

pub fn name(tx: &mut Tx<'_>, id: ContactId, name: &str, key: &str) -> Result<()> {
    diesel::update(contacts::table.find(id).filter(contacts::name.is_null()))
        .set((contacts::name.eq(name), contacts::name_key.eq(key)))
        .execute(tx.connection)?;
    Ok(())
}
