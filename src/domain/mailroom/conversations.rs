//! Assigns messages to conversations.
//!
//! A reply to one of the team's messages joins its conversation. Any message can claim to be a reply, so it
//! joins only if DMARC proves its sender or the sender took part before.

use time::Duration;

use super::arrival::Arrival;
use super::contacts::{Contact, ContactId};
use super::subjects;
use crate::domain::actor::Actor;
use crate::domain::{Error, Result, Timestamp, names};
use crate::store::Tx;
use crate::store::columns::ConversationState;
use crate::store::ids::TeamId;
use crate::store::mailroom::conversations as rows;

pub use crate::store::ids::ConversationId;
pub use rows::Conversation;

/// The maximum number of referenced ids to look up.
const MAX_LOOKUPS: usize = 20;
/// How long a message with the same subject counts as a reply, even if it references no message.
const RECENT: Duration = Duration::days(30);

pub(crate) enum Placement {
    New(Conversation),
    Joins { id: ConversationId, reopens: bool },
}

impl Placement {
    pub fn id(&self) -> ConversationId {
        match self {
            Self::New(conversation) => conversation.id,
            Self::Joins { id, .. } => *id,
        }
    }
}

pub(super) fn placement(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    contact: Option<&Contact>,
    arrival: &Arrival,
) -> Result<Placement> {
    let contact = contact.map(|contact| contact.id);
    // An automatic reply or a bounce needs no action.
    let reopens = !arrival.parsed.automatic && arrival.envelope_from.is_some();
    Ok(match replied_to(tx, actor, team, contact, arrival)? {
        Some(id) => Placement::Joins { id, reopens },
        None => Placement::New(new(actor, team, contact, &arrival.parsed.subject)),
    })
}

fn replied_to(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    contact: Option<ContactId>,
    arrival: &Arrival,
) -> Result<Option<ConversationId>> {
    let parsed = &arrival.parsed;
    let named = parsed.in_reply_to.iter().chain(parsed.references.iter().rev());
    for id in named.take(MAX_LOOKUPS) {
        if let Some(found) = rows::find_by_header(tx, team, id)? {
            return Ok(may_join(tx, found, contact, arrival)?.then_some(found));
        }
    }
    match contact {
        Some(contact) if parsed.in_reply_to.is_empty() && parsed.references.is_empty() => {
            find_by_subject(tx, actor, team, contact, &parsed.subject)
        }
        _ => Ok(None),
    }
}

fn may_join(
    tx: &mut Tx<'_>,
    id: ConversationId,
    contact: Option<ContactId>,
    arrival: &Arrival,
) -> Result<bool> {
    if arrival.is_proven() {
        return Ok(true);
    }
    match contact {
        Some(contact) => Ok(rows::takes_part(tx, id, contact)?),
        None => Ok(false),
    }
}

/// Finds a recent conversation by contact and subject, because some replies reference no message.
fn find_by_subject(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    contact: ContactId,
    subject: &str,
) -> Result<Option<ConversationId>> {
    let key = subject_key(subject);
    if key.is_empty() || !subjects::base(subject).1 {
        return Ok(None);
    }
    let Some(id) = rows::find_by_subject(tx, team, contact, &key)? else { return Ok(None) };
    let found = rows::find(tx, team, id)?;
    Ok(found.filter(|found| found.last_message_at > actor.now.minus(RECENT)).map(|found| found.id))
}

fn subject_key(subject: &str) -> String {
    let key = names::key(subjects::base(subject).0);
    key[..key.floor_char_boundary(255)].to_owned()
}

fn new(actor: &Actor, team: TeamId, contact: Option<ContactId>, subject: &str) -> Conversation {
    Conversation {
        id: ConversationId::new(actor.now, actor.chance()),
        team_id: team,
        subject: subject.to_owned(),
        subject_key: subject_key(subject),
        contact_id: contact,
        state: ConversationState::Open,
        messages: 1,
        created_at: actor.now,
        last_message_at: actor.now,
    }
}

pub(super) fn add_message(tx: &mut Tx<'_>, placement: &Placement, now: Timestamp) -> Result<()> {
    match placement {
        Placement::New(conversation) => Ok(rows::insert(tx, conversation)?),
        Placement::Joins { id, reopens } => Ok(rows::add_message(tx, *id, now, *reopens)?),
    }
}

pub fn find(tx: &mut Tx<'_>, team: TeamId, id: ConversationId) -> Result<Conversation> {
    rows::find(tx, team, id)?.ok_or(Error::NotFound)
}

pub fn set_state(tx: &mut Tx<'_>, team: TeamId, id: ConversationId, state: ConversationState) -> Result<()> {
    if rows::set_state(tx, team, id, state)? { Ok(()) } else { Err(Error::NotFound) }
}
