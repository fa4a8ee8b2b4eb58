//! Actions on several messages. Each is one transaction, ignores deleted messages, and returns the
//! changes, so that they can be undone.

use super::address::MailAddress;
use super::contacts::{self, About, ContactId, ContactState};
use super::messages::{self, Folder, MessageId, MessageState};
use crate::domain::actor::Actor;
use crate::domain::people::roles::Role;
use crate::domain::{Error, FieldError, Result};
use crate::store::Tx;
use crate::store::ids::TeamId;
use crate::store::mailroom::messages as rows;

pub const MAX_CHOSEN: usize = 200;

/// Locks the team's messages with these ids.
///
/// # Errors
/// `NotFound` if none exists, `Invalid` if there are too many ids.
fn lock(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, ids: &[MessageId]) -> Result<Vec<rows::Message>> {
    actor.require_or_token(tx, team, Role::Member)?;
    if ids.len() > MAX_CHOSEN {
        return Err(Error::Invalid(vec![FieldError::new(
            "id",
            format!("Choose at most {MAX_CHOSEN} messages."),
        )]));
    }
    let messages = rows::lock_all(tx, team, ids)?;
    if messages.is_empty() { Err(Error::NotFound) } else { Ok(messages) }
}

fn ids_of(messages: &[rows::Message], wanted: impl Fn(&rows::Message) -> bool) -> Vec<MessageId> {
    messages.iter().filter(|message| wanted(message)).map(|message| message.id).collect()
}

/// Returns the messages that have changed.
pub fn mark(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    ids: &[MessageId],
    read: bool,
) -> Result<Vec<MessageId>> {
    let messages = lock(tx, actor, team, ids)?;
    let changed = ids_of(&messages, |message| message.read_at.is_some() != read);
    rows::set_all_read(tx, team, &changed, read.then_some(actor.now))?;
    Ok(changed)
}

/// Archives messages of the inbox, or moves archived ones back. Blocked mail stays where it is.
pub fn file(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    ids: &[MessageId],
    archive: bool,
) -> Result<Vec<MessageId>> {
    let (from, to) = match archive {
        true => (Folder::Inbox, Folder::Archive),
        false => (Folder::Archive, Folder::Inbox),
    };
    let messages = lock(tx, actor, team, ids)?;
    let changed = ids_of(&messages, |message| message.folder == from);
    rows::set_folder(tx, team, &changed, to)?;
    Ok(changed)
}

/// Blocks the senders of delivered messages, which moves their mail out of the inbox. Returns the newly
/// blocked contacts with their previous state. Skips rejected messages, because the senders they name did
/// not send them.
pub fn block_senders(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    ids: &[MessageId],
) -> Result<Vec<(ContactId, ContactState)>> {
    let messages = lock(tx, actor, team, ids)?;
    let delivered: Vec<_> =
        messages.into_iter().filter(|message| message.state == MessageState::Delivered).collect();
    let mut blocked = Vec::new();
    for message in &delivered {
        let Some((contact, before)) = block_sender(tx, actor, team, message)? else { continue };
        if before != ContactState::Blocked {
            blocked.push((contact, before));
        }
    }
    // Moves mail of deleted contacts too.
    let rest = ids_of(&delivered, |message| message.folder == Folder::Inbox);
    rows::set_folder(tx, team, &rest, Folder::Blocked)?;
    Ok(blocked)
}

/// Returns the contact and its previous state, or `None` if the message names no sender.
fn block_sender(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    message: &rows::Message,
) -> Result<Option<(ContactId, ContactState)>> {
    let known = match message.contact_id {
        Some(id) => contacts::find(tx, team, id).map(Some).or_else(none_if_not_found)?,
        None => None,
    };
    let address = message.from_address.as_deref().and_then(MailAddress::parse);
    let known = match (known, &address) {
        (None, Some(address)) => contacts::find_by_address(tx, team, address)?,
        (known, _) => known,
    };
    if let Some(contact) = known {
        let before = contacts::set_state(tx, actor, team, contact.id, ContactState::Blocked)?;
        return Ok(Some((contact.id, before)));
    }
    let Some(address) = address else { return Ok(None) };
    let about = About { name: None, note: None, state: ContactState::Blocked };
    let created = contacts::create(tx, actor, team, &address, about)?;
    Ok(Some((created.id, ContactState::Unset)))
}

fn none_if_not_found<T>(error: Error) -> Result<Option<T>> {
    match error {
        Error::NotFound => Ok(None),
        other => Err(other),
    }
}

/// Undoes [`block_senders`], except for contacts that were deleted or changed since.
pub fn unblock(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    contacts: &[(ContactId, ContactState)],
) -> Result<usize> {
    actor.require_or_token(tx, team, Role::Member)?;
    let mut unblocked = 0;
    for (id, state) in contacts.iter().take(MAX_CHOSEN) {
        let found = contacts::find(tx, team, *id).map(Some).or_else(none_if_not_found)?;
        if found.is_some_and(|contact| contact.state == ContactState::Blocked) {
            contacts::set_state(tx, actor, team, *id, *state)?;
            unblocked += 1;
        }
    }
    if unblocked == 0 { Err(Error::NotFound) } else { Ok(unblocked) }
}

/// Deletes messages permanently, with their contents, and returns their number.
pub fn delete(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, ids: &[MessageId]) -> Result<usize> {
    let messages = lock(tx, actor, team, ids)?;
    let count = messages.len();
    for message in messages {
        messages::delete_locked(tx, actor, team, message)?;
    }
    Ok(count)
}
