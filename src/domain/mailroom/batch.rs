//! The messages of one transaction. Shared rows are read once, and written once at the end.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::arrival::Arrival;
use super::excerpt::Excerpt;
use super::mail_days::Arrivals;
use super::parse::File;
use super::quota::Quotas;
use super::route::{MailSettings, Recipient, Unroutable, refusal};
use crate::domain::actor::Actor;
use crate::domain::{Result, Timestamp};
use crate::store::Tx;
use crate::store::columns::MessageState;
use crate::store::ids::{AliasId, AttachmentId, TeamId};
use crate::store::mailroom::aliases::{self as alias_rows, Alias};
use crate::store::mailroom::contents::{self, Attachment, NewContent};
use crate::store::mailroom::messages::NewMessage;
use crate::store::mailroom::search;

/// Partly written messages. The transaction must end with [`Batch::write`]: before that, they have no
/// text, are not indexed for search, and are not counted.
#[must_use]
pub struct Batch<'a> {
    pub(super) quotas: Quotas<'a>,
    aliases: BTreeMap<AliasId, AliasCount>,
    contents: Vec<NewContent<'a>>,
    attachments: Vec<Attachment>,
    words: Vec<(TeamId, i64, String)>,
}

struct AliasCount {
    alias: Option<Alias>,
    received: i64,
    denied: i64,
}

impl<'a> Batch<'a> {
    pub fn new(settings: &'a MailSettings) -> Self {
        Self {
            quotas: Quotas::new(settings),
            aliases: BTreeMap::new(),
            contents: Vec::new(),
            attachments: Vec::new(),
            words: Vec::new(),
        }
    }

    /// Returns why the alias accepts no mail, or `None` if it does. It may have changed since the address was
    /// looked up.
    pub(super) fn refusal(&mut self, tx: &mut Tx<'_>, to: &Recipient) -> Result<Option<Unroutable>> {
        let count = match self.aliases.entry(to.alias) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(place) => {
                let alias = alias_rows::find_ever(tx, to.team, to.alias)?;
                place.insert(AliasCount { alias, received: 0, denied: 0 })
            }
        };
        Ok(match &count.alias {
            Some(alias) => refusal(alias, to.matched_by),
            None => Some(Unroutable::Unknown),
        })
    }

    /// Adds the content of the message with the row number `seq`.
    pub(super) fn push(&mut self, actor: &Actor, seq: i64, message: &NewMessage, arrival: &'a Arrival) {
        if let Some(count) = self.aliases.get_mut(&message.alias_id) {
            match message.state {
                MessageState::Delivered => count.received += 1,
                _ => count.denied += 1,
            }
        }
        let (team, excerpt) = (message.team_id, Excerpt::of(message.state, arrival));
        if message.state.is_blocked_or_rejected() {
            self.quotas.add_refused(team, message.usage());
        }
        self.contents.push(NewContent {
            seq,
            team_id: team,
            raw: excerpt.raw,
            text: excerpt.text,
            html: excerpt.html,
            headers: serde_json::to_string(excerpt.headers).unwrap_or_default(),
            authentication: serde_json::to_string(&arrival.authentication).unwrap_or_default(),
            recipients: serde_json::to_string(&arrival.parsed.recipients).unwrap_or_default(),
        });
        self.attachments.extend(excerpt.attachments.iter().map(|part| attachment(actor, team, seq, part)));
        self.words.push((team, seq, excerpt.words(team)));
    }

    /// Writes the rest. Search words come last: otherwise SQLite writes their index once per message.
    pub fn write(mut self, tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
        let mut arrivals = Arrivals::default();
        for (id, AliasCount { alias, received, denied }) in self.aliases {
            alias_rows::count_arrivals(tx, id, received, denied, now)?;
            if let Some(alias) = alias {
                arrivals.add(alias.team_id, id, received, denied);
            }
        }
        arrivals.write(tx, now)?;
        contents::insert(tx, &self.contents, &self.attachments)?;
        search::insert(tx, &self.words)?;
        self.quotas.write(tx)
    }
}

fn attachment(actor: &Actor, team: TeamId, seq: i64, part: &File) -> Attachment {
    Attachment {
        id: AttachmentId::new(actor.now, actor.chance()),
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
