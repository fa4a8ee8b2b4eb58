//! People who write to a team, created by their mail or by hand. Deleting a contact keeps its messages. If
//! the person writes again, a new contact is created.

use super::address::MailAddress;
use super::words;
use crate::domain::access::activity::{ActivityKind, Event};
use crate::domain::actor::Actor;
use crate::domain::nouns::team_noun;
use crate::domain::people::roles::Role;
use crate::domain::search::Search;
use crate::domain::{Error, FieldError, Result, Timestamp, names, text};
use crate::store::Tx;
use crate::store::columns::Folder;
use crate::store::ids::TeamId;
use crate::store::mailroom::{contacts as rows, messages as message_rows};

pub use rows::{Column, Contact, ContactId, ContactState, Filter};

const MAX_NAME: usize = 120;
const MAX_NOTE: usize = 1000;

#[derive(Clone, Debug)]
pub struct About {
    pub name: Option<String>,
    pub note: Option<String>,
    pub state: ContactState,
}

impl About {
    pub fn parse(name: &str, note: &str, state: ContactState) -> std::result::Result<Self, FieldError> {
        let note = text::lines("note", "a note", note, MAX_NOTE)?;
        Ok(Self { name: text::optional(name, parse_name)?, note, state })
    }
}

fn parse_name(text: &str) -> std::result::Result<String, FieldError> {
    names::parse("name", "a name", text, MAX_NAME)
}

pub fn parse_address(text: &str) -> std::result::Result<MailAddress, FieldError> {
    let message = "Enter an email address, like ada@example.com.";
    MailAddress::parse(text.trim()).ok_or_else(|| FieldError::new("address", message))
}

team_noun! { Contact, ContactId: find, list, sorted, count, insert, save, plain; Member: lock, delete }

fn event(kind: ActivityKind, contact: &Contact) -> Event {
    Event::of(kind).subject(&contact.address).detail("state", contact.state.as_str())
}

fn taken(contact: &Contact) -> (&'static str, String) {
    ("address", format!("{} is already a contact.", contact.address))
}

/// Creates a contact by hand.
///
/// # Errors
/// `Conflict` on `address` if the team already has the contact.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    address: &MailAddress,
    about: About,
) -> Result<Contact> {
    actor.require_or_token(tx, team, Role::Member)?;
    let contact = new(actor, team, address, about.name);
    insert(tx, actor, Contact { state: about.state, note: about.note, ..contact })
}

pub fn change(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, id: ContactId, about: About) -> Result<Contact> {
    let before = lock(tx, actor, team, id)?;
    let About { name, note, state } = about;
    let after = Contact { note, state, ..named(before.clone(), name) };
    save_and_move(tx, actor, &before, after)
}

/// Sets only the state, and returns the previous one.
pub(super) fn set_state(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    id: ContactId,
    state: ContactState,
) -> Result<ContactState> {
    let before = lock(tx, actor, team, id)?;
    save_and_move(tx, actor, &before, Contact { state, ..before.clone() })?;
    Ok(before.state)
}

/// Moves the contact's mail when it is blocked or unblocked, because the inbox shows no mail of blocked
/// contacts.
fn save_and_move(tx: &mut Tx<'_>, actor: &Actor, before: &Contact, after: Contact) -> Result<Contact> {
    let is_blocked = |contact: &Contact| contact.state == ContactState::Blocked;
    let route = match (is_blocked(before), is_blocked(&after)) {
        (false, true) => Some((Folder::Inbox, Folder::Blocked)),
        (true, false) => Some((Folder::Blocked, Folder::Inbox)),
        _ => None,
    };
    let after = save(tx, actor, before, after)?;
    if let Some(route) = route {
        message_rows::move_delivered(tx, after.team_id, after.id, route)?;
    }
    Ok(after)
}

/// Sets the state of several contacts. Returns the changed ones with their previous state.
pub(crate) fn set_states(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    ids: &[ContactId],
    state: ContactState,
) -> Result<Vec<(ContactId, ContactState)>> {
    let mut changed = Vec::new();
    for &id in ids {
        let before = set_state(tx, actor, team, id, state)?;
        if before != state {
            changed.push((id, before));
        }
    }
    Ok(changed)
}

/// Undoes [`set_states`], except for contacts deleted since.
pub(crate) fn restore_states(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    before: &[(ContactId, ContactState)],
) -> Result<()> {
    for &(id, state) in before {
        match set_state(tx, actor, team, id, state) {
            Ok(_) | Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn new(actor: &Actor, team: TeamId, address: &MailAddress, name: Option<String>) -> Contact {
    let contact = Contact {
        id: ContactId::new(actor.now, actor.chance()),
        team_id: team,
        address: address.to_string(),
        address_key: address.key(),
        name_key: None,
        name: None,
        search_text: String::new(),
        note: None,
        state: ContactState::Unset,
        received: 0,
        first_seen_at: None,
        last_seen_at: None,
        created_at: actor.now,
    };
    named(contact, name)
}

fn named(contact: Contact, name: Option<String>) -> Contact {
    Contact {
        name_key: name.as_deref().map(names::key),
        search_text: search_text(name.as_deref(), &contact.address),
        name,
        ..contact
    }
}

/// Includes both forms of an international domain, Unicode and ASCII.
pub(super) fn search_text(name: Option<&str>, address: &str) -> String {
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let written = if domain.contains("xn--") { idna::domain_to_unicode(domain).0 } else { String::new() };
    let parts = [name.unwrap_or_default(), address, &written];
    let parts = parts.into_iter().filter(|part| !part.is_empty()).map(words::comparable);
    parts.collect::<Vec<_>>().join(" ")
}

/// Splits a search for contacts into words.
pub fn words_of(search: &Search) -> Vec<String> {
    let text = words::comparable(search.as_str());
    text.split_whitespace().take(words::MAX_IN_QUERY).map(str::to_owned).collect()
}

pub(super) fn find_by_address(
    tx: &mut Tx<'_>,
    team: TeamId,
    address: &MailAddress,
) -> Result<Option<Contact>> {
    Ok(rows::find_by_address(tx, team, &address.key())?)
}

/// Returns the contact that sent a message, creating it if needed. A contact without a name gets the name in
/// the message.
pub(super) fn find_or_create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    known: Option<Contact>,
    address: &MailAddress,
    name: Option<&str>,
) -> Result<Contact> {
    let name = name.map(|name| name.chars().take(MAX_NAME).collect::<String>());
    // If the form refused the name, people couldn't save the contact.
    let name = name.and_then(|name| parse_name(&name).ok());
    match known {
        Some(contact) => {
            if contact.name.is_none() && name.is_some() {
                rows::name(tx, &named(contact.clone(), name))?;
            }
            Ok(contact)
        }
        None => {
            let first = Contact { first_seen_at: Some(actor.now), ..new(actor, team, address, name) };
            Ok(rows::insert_or_find(tx, &first)?)
        }
    }
}

pub(super) fn count_arrival(tx: &mut Tx<'_>, contact: &Contact, now: Timestamp) -> Result<()> {
    Ok(rows::count_arrival(tx, contact.id, contact.first_seen_at.is_none(), now)?)
}
