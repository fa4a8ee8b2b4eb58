//! Decides whether a recipient accepts a message, and stores it.

use sha2::{Digest, Sha256};
use time::Duration;

use super::address::MailAddress;
use super::arrival::Arrival;
use super::authors::Malformed;
use super::batch::Batch;
use super::contacts::{self, Contact, ContactState};
use super::conversations::{self, Placement};
use super::excerpt::Excerpt;
use super::parse::{Mailbox, address_of};
use super::route::{MatchedBy, Recipient, Unroutable};
use crate::domain::Result;
use crate::domain::actor::Actor;
use crate::store::Tx;
use crate::store::columns::{Direction, MessageState};
use crate::store::ids::{MessageId, TeamId};
use crate::store::mailroom::messages::{self as rows, NewMessage};

/// The maximum number of servers that a message may have passed.
pub(crate) const MAX_HOPS: usize = 50;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Stored {
        message: MessageId,
        state: MessageState,
    },
    Duplicate {
        message: MessageId,
    },
    /// Stored as rejected. The sender gets the reason.
    Rejected {
        message: MessageId,
        reason: String,
    },
    /// Not stored: the recipient no longer accepts mail, although it did when its address was looked up.
    NotAccepted(Unroutable),
    /// Refused for every recipient.
    Malformed(Malformed),
}

impl Outcome {
    /// Returns the message if it is stored, so that its sender need not send it again.
    pub fn stored(&self) -> Option<MessageId> {
        match self {
            Self::Stored { message, .. } | Self::Duplicate { message } => Some(*message),
            _ => None,
        }
    }
}

/// Stores a message or returns why not. A batch is one transaction, which ends with [`Batch::write`].
pub fn receive<'a>(
    tx: &mut Tx<'_>,
    actor: &Actor,
    arrival: &'a Arrival,
    recipient: &Recipient,
    batch: &mut Batch<'a>,
) -> Result<Outcome> {
    if arrival.parsed.hops > MAX_HOPS {
        return Ok(Outcome::NotAccepted(Unroutable::Loop));
    }
    if let Some(why) = batch.refusal(tx, recipient)? {
        return Ok(Outcome::NotAccepted(why));
    }
    let (team, size) = (recipient.team, arrival.raw.len() as i64);
    // Comes first, because it keeps other transactions from storing mail of this team.
    let fits = batch.quotas.reserve(tx, team, size)?;
    let sender = Sender::of(tx, arrival, team)?;
    let decision = decide(arrival, recipient, sender.contact.as_ref());
    let dedupe_key = dedupe_key(arrival, decision.state);
    if let Some(message) = find_duplicate(tx, actor, arrival, recipient, &dedupe_key)? {
        if fits {
            batch.quotas.release(team, size);
        }
        return Ok(outcome_of_duplicate(message, decision));
    }
    if decision.state.is_blocked_or_rejected() {
        // Refused mail has a separate limit, outside of the quota.
        if fits {
            batch.quotas.release(team, size);
        }
    } else if !fits {
        return Ok(Outcome::NotAccepted(Unroutable::Full));
    } else if batch.quotas.is_in_reserve(team) && !sender.is_trusted(arrival) {
        batch.quotas.release(team, size);
        return Ok(Outcome::NotAccepted(Unroutable::Full));
    }
    store(tx, actor, arrival, recipient, (sender, decision, dedupe_key), batch)
}

/// How long a message without a Message-ID counts as a duplicate: senders retry within minutes.
const RETRY_WINDOW: Duration = Duration::hours(1);

/// Finds a duplicate that the alias already has. A message without a Message-ID, like an alarm, can be sent
/// again with a new meaning, so it is a duplicate only if its sender may not know that it was stored.
fn find_duplicate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    arrival: &Arrival,
    recipient: &Recipient,
    dedupe_key: &[u8],
) -> Result<Option<MessageId>> {
    let (team, header_id) = (recipient.team, arrival.parsed.message_id.as_deref());
    let found = rows::find_duplicate(tx, (team, recipient.alias), header_id, dedupe_key)?;
    match found
        .filter(|found| header_id.is_none() && *found < MessageId::floor(actor.now.minus(RETRY_WINDOW)))
    {
        Some(old) => {
            rows::set_unique(tx, team, old)?;
            Ok(None)
        }
        None => Ok(found),
    }
}

/// Records that the senders of these messages know that they are stored, so that the same message without a
/// Message-ID is a new one from now on.
pub fn acknowledge(tx: &mut Tx<'_>, messages: &[(TeamId, MessageId)]) -> Result<()> {
    for (team, message) in messages {
        rows::set_unique(tx, *team, *message)?;
    }
    Ok(())
}

/// The key that identifies duplicates. A refused message has a separate key, because it can be a forgery of a
/// message yet to come, or its sender can be unblocked later. So does a message proven by DMARC, because
/// anyone can send a copy.
fn dedupe_key(arrival: &Arrival, state: MessageState) -> [u8; 32] {
    let kind = match (state, arrival.is_proven()) {
        (MessageState::Delivered, true) => "proven",
        (MessageState::Delivered, false) => return arrival.parsed.dedupe,
        (refused, _) => refused.as_str(),
    };
    Sha256::new().chain_update(arrival.parsed.dedupe).chain_update(kind).finalize().into()
}

fn outcome_of_duplicate(message: MessageId, decision: Decision) -> Outcome {
    match decision.state {
        MessageState::Rejected => Outcome::Rejected { message, reason: decision.reason },
        _ => Outcome::Duplicate { message },
    }
}

/// The author in the message's header. The envelope can name another sender, whom DMARC doesn't check.
struct Sender {
    named: Option<(MailAddress, Option<String>)>,
    contact: Option<Contact>,
}

impl Sender {
    fn of(tx: &mut Tx<'_>, arrival: &Arrival, team: TeamId) -> Result<Self> {
        let from = arrival.parsed.from.as_ref();
        let named = from.and_then(|from| Some((address_of(from)?, from.name.clone())));
        let contact = match &named {
            Some((address, _)) => contacts::find_by_address(tx, team, address)?,
            None => None,
        };
        Ok(Self { named, contact })
    }

    /// Whether the team has allowed this contact and DMARC proves that the message is theirs.
    fn is_trusted(&self, arrival: &Arrival) -> bool {
        self.contact.as_ref().is_some_and(|contact| contact.state == ContactState::Allowed)
            && arrival.is_proven()
    }
}

struct Decision {
    state: MessageState,
    reason: String,
}

fn decide(arrival: &Arrival, recipient: &Recipient, contact: Option<&Contact>) -> Decision {
    if let Some(contact) = contact.filter(|contact| contact.state == ContactState::Blocked) {
        let reason = format!("The contact {} is blocked.", contact.address);
        return Decision { state: MessageState::Denied, reason };
    }
    if arrival.authentication.is_to_be_rejected() {
        let domain = arrival.authentication.dmarc.domain.as_deref().unwrap_or("its sender's domain");
        let reason = format!("It failed DMARC, and {domain} asks to reject such mail.");
        return Decision { state: MessageState::Rejected, reason };
    }
    let reason = match recipient.matched_by {
        MatchedBy::Exact => "The alias accepts mail.",
        MatchedBy::Tag => "The alias before the + accepts mail.",
        MatchedBy::CatchAll => "The domain's catch-all accepts mail.",
        MatchedBy::Postmaster => "Mail to postmaster is always accepted.",
    };
    Decision { state: MessageState::Delivered, reason: reason.into() }
}

fn store<'a>(
    tx: &mut Tx<'_>,
    actor: &Actor,
    arrival: &'a Arrival,
    recipient: &Recipient,
    (sender, decision, dedupe_key): (Sender, Decision, [u8; 32]),
    batch: &mut Batch<'a>,
) -> Result<Outcome> {
    let Sender { named, contact: known } = sender;
    let contact = match (&named, decision.state) {
        // The author named in a rejected message didn't send it.
        (_, MessageState::Rejected) | (None, _) => None,
        (Some((address, name)), _) => {
            Some(contacts::find_or_create(tx, actor, recipient.team, known, address, name.as_deref())?)
        }
    };
    let placement = match decision.state {
        MessageState::Delivered => {
            Some(conversations::placement(tx, actor, recipient.team, contact.as_ref(), arrival)?)
        }
        _ => None,
    };
    let mut message = row(actor, arrival, recipient, &decision, contact.as_ref(), placement.as_ref());
    message.dedupe = dedupe_key.to_vec();
    let seq = rows::insert(tx, &message)?;
    if let Some(placement) = &placement {
        conversations::add_message(tx, placement, actor.now)?;
    }
    if let Some(contact) = &contact {
        contacts::count_arrival(tx, contact, actor.now)?;
    }
    batch.push(actor, seq, &message, arrival);
    Ok(match message.state {
        MessageState::Rejected => Outcome::Rejected { message: message.id, reason: decision.reason },
        state => Outcome::Stored { message: message.id, state },
    })
}

fn row(
    actor: &Actor,
    arrival: &Arrival,
    recipient: &Recipient,
    decision: &Decision,
    contact: Option<&Contact>,
    placement: Option<&Placement>,
) -> NewMessage {
    let Arrival { parsed, authentication, .. } = arrival;
    let excerpt = Excerpt::of(decision.state, arrival);
    let from = parsed.from.clone();
    let from = from.or_else(|| Some(Mailbox { address: arrival.envelope_from.clone()?, name: None }));
    NewMessage {
        id: MessageId::new(actor.now, actor.chance()),
        team_id: recipient.team,
        direction: Direction::In,
        state: decision.state,
        reason: decision.reason.clone(),
        alias_id: recipient.alias,
        contact_id: contact.map(|contact| contact.id),
        conversation_id: placement.map(Placement::id),
        header_id: parsed.message_id.clone(),
        dedupe: parsed.dedupe.to_vec(),
        received_at: actor.now,
        envelope_from: arrival.envelope_from.clone(),
        from_address: from.as_ref().map(|from| from.address.clone()),
        from_name: from.and_then(|from| from.name),
        rcpt: recipient.address.clone(),
        subject: parsed.subject.clone(),
        preview: parsed.preview(),
        size: arrival.raw.len() as i64,
        attachments: i32::try_from(excerpt.attachments.len()).unwrap_or(i32::MAX),
        read_at: None,
        spf: authentication.spf.result.as_str().to_owned(),
        dkim: authentication.dkim_result().as_str().to_owned(),
        dmarc: authentication.dmarc.result.as_str().to_owned(),
        kept: excerpt.stored_bytes(arrival),
        folder: decision.state.into(),
    }
}
