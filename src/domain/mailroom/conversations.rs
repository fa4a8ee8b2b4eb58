//! Which conversation a message belongs to.
//!
//! A message that answers one of the team's joins its conversation. What it answers it says
//! itself, and anybody can say that: a stranger joins only when DMARC vouches for them, or
//! they took part before.

use mail_parser::parsers::fields::thread::thread_name;
use time::Duration;

use super::authentication::Verdict;
use super::contacts::Contact;
use super::receive::Arrival;
use crate::domain::actor::Actor;
use crate::domain::{Error, Result, Timestamp, names};
use crate::store::Tx;
use crate::store::columns::ConversationState;
use crate::store::ids::{ContactId, TeamId};
use crate::store::mailroom::conversations as rows;

pub use crate::store::ids::ConversationId;
pub use rows::Conversation;

/// Ids asked for of those a message names.
const NAMED: usize = 20;
/// How long an answer that names no message is taken for one.
const RECENT: Duration = Duration::days(30);

/// Where a message goes; see [`join`].
pub enum Place {
    New(Conversation),
    Joins { id: ConversationId, reopens: bool },
}

impl Place {
    pub fn id(&self) -> ConversationId {
        match self {
            Self::New(conversation) => conversation.id,
            Self::Joins { id, .. } => *id,
        }
    }
}

pub fn place(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    contact: Option<&Contact>,
    arrival: &Arrival,
) -> Result<Option<Place>> {
    let contact = contact.map(|contact| contact.id);
    // An automatic answer or a bounce does not ask anybody to do something.
    let reopens = !arrival.parsed.automatic && arrival.envelope_from.is_some();
    Ok(Some(match answered(tx, actor, team, contact, arrival)? {
        Some(id) => Place::Joins { id, reopens },
        None => Place::New(begun_by(actor, team, contact, &arrival.parsed.subject)),
    }))
}

fn answered(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    contact: Option<ContactId>,
    arrival: &Arrival,
) -> Result<Option<ConversationId>> {
    let parsed = &arrival.parsed;
    let named = parsed.in_reply_to.iter().chain(parsed.references.iter().rev());
    for id in named.take(NAMED) {
        if let Some(found) = rows::of_header(tx, team, id)? {
            return Ok(may_join(tx, found, contact, arrival)?.then_some(found));
        }
    }
    match contact {
        Some(contact) if parsed.in_reply_to.is_empty() && parsed.references.is_empty() => {
            of_subject(tx, actor, team, contact, &parsed.subject)
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
    if arrival.authentication.dmarc.result == Verdict::Pass {
        return Ok(true);
    }
    match contact {
        Some(contact) => Ok(rows::takes_part(tx, id, contact)?),
        None => Ok(false),
    }
}

/// Some programs answer without saying what: the same contact and subject tell, for a while.
fn of_subject(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    contact: ContactId,
    subject: &str,
) -> Result<Option<ConversationId>> {
    let key = subject_key(subject);
    if key.is_empty() || key == names::key(subject) {
        return Ok(None);
    }
    let Some(id) = rows::of_subject(tx, team, contact, &key)? else { return Ok(None) };
    let found = rows::find(tx, team, id)?;
    Ok(found.filter(|found| found.last_message_at > actor.now.minus(RECENT)).map(|found| found.id))
}

/// A subject without `Re:` and the like.
fn subject_key(subject: &str) -> String {
    let key = names::key(thread_name(subject));
    key[..key.floor_char_boundary(255)].to_owned()
}

fn begun_by(actor: &Actor, team: TeamId, contact: Option<ContactId>, subject: &str) -> Conversation {
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

/// Writes down that a message is there.
pub fn join(tx: &mut Tx<'_>, place: &Place, now: Timestamp) -> Result<()> {
    match place {
        Place::New(conversation) => Ok(rows::insert(tx, conversation)?),
        Place::Joins { id, reopens } => Ok(rows::add_message(tx, *id, now, *reopens)?),
    }
}

pub fn find(tx: &mut Tx<'_>, team: TeamId, id: ConversationId) -> Result<Conversation> {
    rows::find(tx, team, id)?.ok_or(Error::NotFound)
}

/// Resolves a conversation, or opens it again.
pub fn set_state(tx: &mut Tx<'_>, team: TeamId, id: ConversationId, state: ConversationState) -> Result<()> {
    if rows::set_state(tx, team, id, state)? { Ok(()) } else { Err(Error::NotFound) }
}
