//! What becomes of a message on its way in: whether its recipient wants it, and the one
//! transaction that keeps it.

use std::net::IpAddr;
use std::sync::Arc;

use super::address::MailAddress;
use super::authentication::Authentication;
use super::contacts::{self, Contact};
use super::conversations::{self, Place};
use super::parse::{Mailbox, Parsed, Part, address_of};
use super::route::{room, taking};
use super::words;
use crate::domain::Result;
use crate::domain::by::By;
use crate::store::columns::{ContactState, Direction, MessageState};
use crate::store::ids::{AttachmentId, MessageId, TeamId};
use crate::store::mailroom::contents::{Attachment, NewContent};
use crate::store::mailroom::messages::NewMessage;
use crate::store::mailroom::{aliases as alias_rows, contents, messages as rows, search};
use crate::store::{self, Tx};

pub use super::route::{Office, Recipient, Unroutable, Way, is_postmaster, make_postmaster, route};

/// Servers a message may have passed.
pub const HOPS: usize = 50;

/// A message that came in, read and authenticated.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub envelope_from: Option<String>,
    pub helo: String,
    pub ip: Option<IpAddr>,
    pub tls: bool,
    pub raw: Arc<[u8]>,
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
    /// Kept as rejected; its sender is told the reason.
    Rejected {
        message: MessageId,
        reason: String,
    },
    /// What was true when the recipient was named is so no longer.
    Refused(Unroutable),
}

/// Messages that are kept and cannot be found by their words yet. They can be after
/// [`Unindexed::index`], which ends the transaction that keeps them: between other changes
/// SQLite would write its index of words anew for each message.
#[derive(Default)]
#[must_use]
pub struct Unindexed(Vec<(TeamId, i64, String)>);

impl Unindexed {
    pub fn index(self, tx: &mut Tx<'_>) -> Result<()> {
        for (team, seq, words) in self.0 {
            search::insert(tx, team, seq, &words)?;
        }
        Ok(())
    }
}

/// Keeps a message, or says why not. All of it is one transaction, with [`Unindexed::index`]
/// at its end.
pub fn receive(
    tx: &mut Tx<'_>,
    by: &By,
    office: &Office,
    arrival: &Arrival,
    recipient: &Recipient,
    unindexed: &mut Unindexed,
) -> Result<Outcome> {
    if let Some(why) = refusal(tx, arrival, recipient)? {
        return Ok(Outcome::Refused(why));
    }
    let dedupe = &arrival.parsed.dedupe;
    if let Some(message) = rows::find_same(tx, recipient.alias, dedupe)? {
        return Ok(Outcome::Duplicate { message });
    }
    // First of all: it also makes deliveries to one team take turns, in whichever order they
    // come to their contacts and conversations.
    rows::keep(tx, recipient.team, arrival.raw.len() as i64, 1)?;
    if room(tx, office, recipient.team)?.is_some_and(|left| left < 0) {
        rows::keep(tx, recipient.team, -(arrival.raw.len() as i64), -1)?;
        return Ok(Outcome::Refused(Unroutable::Full));
    }
    store(tx, by, arrival, recipient, unindexed)
}

/// The alias may have been changed since its address was asked for.
fn refusal(tx: &mut Tx<'_>, arrival: &Arrival, recipient: &Recipient) -> Result<Option<Unroutable>> {
    if arrival.parsed.hops > HOPS {
        return Ok(Some(Unroutable::Loop));
    }
    let alias = alias_rows::find_ever(tx, recipient.team, recipient.alias)?;
    Ok(match alias.map(|alias| taking(alias, recipient.way)) {
        Some(Ok(_)) => None,
        Some(Err(why)) => Some(why),
        None => Some(Unroutable::Unknown),
    })
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

fn store(
    tx: &mut Tx<'_>,
    by: &By,
    arrival: &Arrival,
    recipient: &Recipient,
    unindexed: &mut Unindexed,
) -> Result<Outcome> {
    let sender = sender(arrival);
    let known = match &sender {
        Some((address, _)) => contacts::by_address(tx, recipient.team, address)?,
        None => None,
    };
    let decision = decide(arrival, recipient, known.as_ref());
    let contact = match (&sender, decision.state) {
        // Whoever a rejected message says it is from did not send it.
        (_, MessageState::Rejected) | (None, _) => None,
        (Some((address, name)), _) => {
            Some(contacts::seen(tx, by, recipient.team, known, address, name.as_deref())?)
        }
    };
    let place = match decision.state {
        MessageState::Delivered => conversations::place(tx, by, recipient.team, contact.as_ref(), arrival)?,
        _ => None,
    };
    let message = row(by, arrival, recipient, &decision, contact.as_ref(), place.as_ref());
    let Some(seq) = rows::insert(tx, &message)? else {
        rows::keep(tx, recipient.team, -message.size, -1)?;
        let same = rows::find_same(tx, recipient.alias, &message.dedupe)?;
        // Anything else that is there twice is no reason to say that this is kept.
        let unkept = || store::Error::Conflict("a message's id".into());
        return Ok(Outcome::Duplicate { message: same.ok_or_else(unkept)? });
    };
    if let Some(place) = &place {
        conversations::join(tx, place, by.now)?;
    }
    if let Some(contact) = &contact {
        contacts::count_arrival(tx, contact, by.now)?;
    }
    alias_rows::count_arrival(tx, recipient.alias, decision.state, by.now)?;
    keep_content(tx, by, seq, &message, arrival)?;
    unindexed.0.push((recipient.team, seq, words::text(recipient.team, &arrival.parsed.words)));
    Ok(match message.state {
        MessageState::Rejected => Outcome::Rejected { message: message.id, reason: decision.reason },
        state => Outcome::Stored { message: message.id, state },
    })
}

/// Who wrote it: as the message says, else as the envelope does.
fn sender(arrival: &Arrival) -> Option<(MailAddress, Option<String>)> {
    let of_header =
        arrival.parsed.from.as_ref().and_then(|from| Some((address_of(from)?, from.name.clone())));
    of_header.or_else(|| Some((MailAddress::parse(arrival.envelope_from.as_deref()?)?, None)))
}

fn row(
    by: &By,
    arrival: &Arrival,
    recipient: &Recipient,
    decision: &Decision,
    contact: Option<&Contact>,
    place: Option<&Place>,
) -> NewMessage {
    let Arrival { parsed, authentication, .. } = arrival;
    let from = parsed.from.clone();
    let from = from.or_else(|| Some(Mailbox { address: arrival.envelope_from.clone()?, name: None }));
    NewMessage {
        id: MessageId::new(by.now, by.chance()),
        team_id: recipient.team,
        direction: Direction::In,
        state: decision.state,
        reason: decision.reason.clone(),
        alias_id: recipient.alias,
        contact_id: contact.map(|contact| contact.id),
        conversation_id: place.map(Place::id),
        header_id: parsed.message_id.clone(),
        dedupe: parsed.dedupe.to_vec(),
        received_at: by.now,
        envelope_from: arrival.envelope_from.clone(),
        from_address: from.as_ref().map(|from| from.address.clone()),
        from_name: from.and_then(|from| from.name),
        rcpt: recipient.address.clone(),
        subject: parsed.subject.clone(),
        preview: parsed.preview(),
        size: arrival.raw.len() as i64,
        attachments: i32::try_from(parsed.attachments.len()).unwrap_or(i32::MAX),
        read_at: None,
        spf: authentication.spf.result.as_str().to_owned(),
        dkim: authentication.dkim_result().as_str().to_owned(),
        dmarc: authentication.dmarc.result.as_str().to_owned(),
    }
}

fn keep_content(tx: &mut Tx<'_>, by: &By, seq: i64, message: &NewMessage, arrival: &Arrival) -> Result<()> {
    let Arrival { parsed, raw, authentication, .. } = arrival;
    let attachments: Vec<_> =
        parsed.attachments.iter().map(|part| attachment_row(by, message.team_id, seq, part)).collect();
    let content = NewContent {
        seq,
        team_id: message.team_id,
        raw,
        text: &parsed.text,
        html: parsed.html.as_deref(),
        headers: &serde_json::to_string(&parsed.headers).unwrap_or_default(),
        authentication: &serde_json::to_string(authentication).unwrap_or_default(),
    };
    Ok(contents::insert(tx, &content, &attachments)?)
}

fn attachment_row(by: &By, team: TeamId, seq: i64, part: &Part) -> Attachment {
    Attachment {
        id: AttachmentId::new(by.now, by.chance()),
        team_id: team,
        seq,
        part: i32::try_from(part.index).unwrap_or(i32::MAX),
        name: part.name.clone(),
        content_type: part.content_type.clone(),
        size: part.size as i64,
        inline: part.inline,
        content_id: part.content_id.clone(),
    }
}
