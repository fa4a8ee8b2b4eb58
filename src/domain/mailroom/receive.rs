//! What becomes of a message on its way in: whether its recipient wants it, and the one
//! transaction that keeps it.

use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::address::MailAddress;
use super::authentication::{Authentication, Verdict};
use super::authors::Malformed;
use super::contacts::{self, Contact};
use super::conversations::{self, Place};
use super::excerpt::Excerpt;
use super::parse::{Mailbox, Parsed, address_of};
use super::quota::Quota;
use crate::domain::Result;
use crate::domain::actor::Actor;
use crate::store::Tx;
use crate::store::columns::{ContactState, Direction, MessageState};
use crate::store::ids::{MessageId, TeamId};
use crate::store::mailroom::messages::{self as rows, NewMessage};

pub use super::route::{
    MailSettings, REFUSED, Recipient, Unroutable, Way, lacks_postmaster, make_postmaster, route,
};

/// Servers a message may have passed.
pub const HOPS: usize = 50;

/// A message that came in, read and authenticated.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub envelope_from: Option<String>,
    pub helo: String,
    pub ip: Option<IpAddr>,
    pub tls: bool,
    pub raw: Arc<Vec<u8>>,
    pub parsed: Parsed,
    pub authentication: Authentication,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Stored {
        message: MessageId,
        state: MessageState,
    },
    /// The alias has it already.
    Duplicate {
        message: MessageId,
    },
    /// Kept as rejected; the sender gets the reason.
    Rejected {
        message: MessageId,
        reason: String,
    },
    /// What was true when the recipient was named is so no longer.
    Refused(Unroutable),
    /// Refused for every recipient.
    Malformed(Malformed),
}

/// Keeps a message, or says why not. All of it is one transaction, with [`Quota::close`] at
/// its end.
pub fn receive<'a>(
    tx: &mut Tx<'_>,
    actor: &Actor,
    settings: &MailSettings,
    arrival: &'a Arrival,
    recipient: &Recipient,
    quota: &mut Quota<'a>,
) -> Result<Outcome> {
    if arrival.parsed.hops > HOPS {
        return Ok(Outcome::Refused(Unroutable::Loop));
    }
    if let Some(why) = quota.refusal(tx, recipient)? {
        return Ok(Outcome::Refused(why));
    }
    let (team, size) = (recipient.team, arrival.raw.len() as i64);
    // First of all: after it nobody else keeps mail of this team.
    let room = quota.makes_room(tx, settings, team, size)?;
    let sender = Sender::of(tx, arrival, team)?;
    let decision = decide(arrival, recipient, sender.contact.as_ref());
    let dedupe_key = dedupe_key(arrival, decision.state);
    let header_id = arrival.parsed.message_id.as_deref();
    if let Some(message) = rows::find_same(tx, (team, recipient.alias), header_id, &dedupe_key)? {
        if room {
            quota.gives_back(team, size);
        }
        return Ok(again(message, decision));
    }
    if decision.state.is_refused() {
        // It has a share of its own, outside the quota.
        if room {
            quota.gives_back(team, size);
        }
    } else if !room {
        return Ok(Outcome::Refused(Unroutable::Full));
    } else if quota.takes_reserve(settings, team) && !sender.is_trusted(arrival) {
        quota.gives_back(team, size);
        return Ok(Outcome::Refused(Unroutable::Full));
    }
    store(tx, actor, arrival, recipient, (sender, decision, dedupe_key), quota)
}

/// The key under which a message is found again. A refused message has a key of its own: it can
/// be a forgery of one that is still to come, or its sender can be unblocked later. So has one
/// that DMARC proves: a copy that anybody can have sent must not stand for it.
fn dedupe_key(arrival: &Arrival, state: MessageState) -> [u8; 32] {
    let of_its_own = match (state, arrival.authentication.dmarc.result) {
        (MessageState::Delivered, Verdict::Pass) => "proven",
        (MessageState::Delivered, _) => return arrival.parsed.dedupe,
        (refused, _) => refused.as_str(),
    };
    Sha256::new().chain_update(arrival.parsed.dedupe).chain_update(of_its_own).finalize().into()
}

/// The outcome for a message that is stored already.
fn again(message: MessageId, decision: Decision) -> Outcome {
    match decision.state {
        MessageState::Rejected => Outcome::Rejected { message, reason: decision.reason },
        _ => Outcome::Duplicate { message },
    }
}

/// Who wrote a message, as it says. Never as the envelope does: that is another's word, which
/// DMARC does not speak for.
struct Sender {
    named: Option<(MailAddress, Option<String>)>,
    contact: Option<Contact>,
}

impl Sender {
    fn of(tx: &mut Tx<'_>, arrival: &Arrival, team: TeamId) -> Result<Self> {
        let from = arrival.parsed.from.as_ref();
        let named = from.and_then(|from| Some((address_of(from)?, from.name.clone())));
        let contact = match &named {
            Some((address, _)) => contacts::by_address(tx, team, address)?,
            None => None,
        };
        Ok(Self { named, contact })
    }

    /// Whether the team allowed this contact, and DMARC proves that it is them.
    fn is_trusted(&self, arrival: &Arrival) -> bool {
        self.contact.as_ref().is_some_and(|contact| contact.state == ContactState::Allowed)
            && arrival.authentication.dmarc.result == Verdict::Pass
    }
}

/// What was decided, and why.
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
    let reason = match recipient.way {
        Way::Exact => "The alias takes mail.",
        Way::Tag => "The alias before the + takes mail.",
        Way::CatchAll => "The catch-all of the domain takes mail.",
        Way::Postmaster => "Mail to postmaster is always taken.",
    };
    Decision { state: MessageState::Delivered, reason: reason.into() }
}

fn store<'a>(
    tx: &mut Tx<'_>,
    actor: &Actor,
    arrival: &'a Arrival,
    recipient: &Recipient,
    (sender, decision, dedupe_key): (Sender, Decision, [u8; 32]),
    quota: &mut Quota<'a>,
) -> Result<Outcome> {
    let Sender { named, contact: known } = sender;
    let contact = match (&named, decision.state) {
        // Whoever a rejected message says it is from did not send it.
        (_, MessageState::Rejected) | (None, _) => None,
        (Some((address, name)), _) => {
            Some(contacts::seen(tx, actor, recipient.team, known, address, name.as_deref())?)
        }
    };
    let place = match decision.state {
        MessageState::Delivered => {
            conversations::place(tx, actor, recipient.team, contact.as_ref(), arrival)?
        }
        _ => None,
    };
    let mut message = row(actor, arrival, recipient, &decision, contact.as_ref(), place.as_ref());
    message.dedupe = dedupe_key.to_vec();
    let seq = rows::insert(tx, &message)?;
    if let Some(place) = &place {
        conversations::join(tx, place, actor.now)?;
    }
    if let Some(contact) = &contact {
        contacts::count_arrival(tx, contact, actor.now)?;
    }
    quota.enter(actor, seq, &message, arrival);
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
    place: Option<&Place>,
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
        conversation_id: place.map(Place::id),
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
        kept: excerpt.kept(arrival),
    }
}
