use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::store::Tx;
use crate::store::backend::{Backend, on_engine};
use crate::store::columns::{Timestamp, text_enum};
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{TeamId, id_type};
use crate::store::lists::{ESCAPE, like, sorted_rows};
use crate::store::prepared::Prepared;
use crate::store::schema::instance;
use crate::store::team_rows::team_rows;

diesel::table! {
    contacts (id) {
        id -> Binary,
        team_id -> Binary,
        address -> Text,
        address_key -> Text,
        name -> Nullable<Text>,
        name_key -> Nullable<Text>,
        search_text -> Text,
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
    /// The folded name and address, for searches.
    pub search_text: String,
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
    /// The search text contains all of them.
    pub words: Vec<String>,
}

team_rows! { contacts, Contact, ContactId: insert, find, lock, list, count, save, delete }

// An index has the same expression as LastMessage.
sorted_rows! { contacts, Contact, ContactId:
    LastMessage = "last-message", "Last message", descending,
        Number(sql::<BigInt>("COALESCE(contacts.last_seen_at, 0)"), |row| row.last_seen_at.map_or(0, Timestamp::micros));
    Contact = "contact", "Contact", ascending,
        Text(sql::<Text>("COALESCE(contacts.name_key, contacts.address_key)"),
            |row| row.name_key.clone().unwrap_or_else(|| row.address_key.clone()));
    Messages = "messages", "Messages", descending, Number(contacts::received, |row| row.received);
}

/// Inserts the contact unless it exists, and returns the row.
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
    for word in &filter.words {
        query = query.filter(contacts::search_text.like(format!("%{}%", like(word))).escape(ESCAPE));
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

/// Sets the name of a contact without one, and the columns that depend on it.
pub fn name(tx: &mut Tx<'_>, named: &Contact) -> Result<()> {
    diesel::update(contacts::table.find(named.id).filter(contacts::name.is_null()))
        .set((
            contacts::name.eq(&named.name),
            contacts::name_key.eq(&named.name_key),
            contacts::search_text.eq(&named.search_text),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// The texts that searches find a contact by.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = contacts)]
pub struct Searched {
    pub id: ContactId,
    pub address: String,
    pub name: Option<String>,
}

/// The next contacts of all teams after an id.
pub fn searched_after(tx: &mut Tx<'_>, id: Option<ContactId>, limit: i64) -> Result<Vec<Searched>> {
    let mut query = contacts::table.order(contacts::id).limit(limit).into_boxed();
    if let Some(id) = id {
        query = query.filter(contacts::id.gt(id));
    }
    Ok(query.select(Searched::as_select()).load(tx.connection)?)
}

/// Does nothing if the contact has been renamed since: its text already includes the new name.
pub fn set_search_text(tx: &mut Tx<'_>, contact: &Searched, text: &str) -> Result<()> {
    let found = contacts::table.find(contact.id);
    let text = contacts::search_text.eq(text);
    match &contact.name {
        Some(name) => {
            diesel::update(found.filter(contacts::name.eq(name))).set(text).execute(tx.connection)?
        }
        None => diesel::update(found.filter(contacts::name.is_null())).set(text).execute(tx.connection)?,
    };
    Ok(())
}

/// The progress of updating search texts.
#[derive(Clone, Debug, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = instance)]
#[diesel(treat_none_as_null = true)]
pub struct Progress {
    /// The rule of all contacts. Those up to `done` have the newest one.
    #[diesel(column_name = contact_rule)]
    pub rule: i32,
    #[diesel(column_name = contacts_done)]
    pub done: Option<ContactId>,
}

pub fn progress(tx: &mut Tx<'_>) -> Result<Progress> {
    Ok(instance::table.select(Progress::as_select()).get_result(tx.connection)?)
}

pub fn set_progress(tx: &mut Tx<'_>, progress: &Progress) -> Result<()> {
    diesel::update(instance::table).set(progress).execute(tx.connection)?;
    Ok(())
}
