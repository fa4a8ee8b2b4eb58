//! What messages of one transaction have in common: read once, and written at its end for all
//! of them at once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::excerpt::Excerpt;
use super::parse::Part;
use super::receive::{Arrival, Recipient};
use super::route::{MailSettings, Unroutable, refusal};
use crate::domain::actor::Actor;
use crate::domain::{Result, Timestamp};
use crate::store::Tx;
use crate::store::columns::MessageState;
use crate::store::ids::{AliasId, AttachmentId, TeamId};
use crate::store::mailroom::aliases::{self as alias_rows, Alias};
use crate::store::mailroom::contents::{self, Attachment, NewContent};
use crate::store::mailroom::mail_usage::{self, MailUsage};
use crate::store::mailroom::messages::{self as rows, NewMessage};
use crate::store::mailroom::search;

/// What has not been written yet of messages that are being kept. [`Quota::close`] ends their
/// transaction: without it they have no text, are found by no word and count nowhere.
#[derive(Default)]
#[must_use]
pub struct Quota<'a> {
    teams: BTreeMap<TeamId, Standing>,
    aliases: BTreeMap<AliasId, Counted>,
    contents: Vec<NewContent<'a>>,
    attachments: Vec<Attachment>,
    words: Vec<(TeamId, i64, String)>,
}

/// One part in so many of a quota is reserved for contacts that the team allowed.
const RESERVE: i64 = 10;
/// What a refused message takes of its share in addition to its bytes: about the size of its
/// rows.
const ROWS: i64 = 4 << 10;
/// The most refused messages removed for each that arrives. The longest takes the room of fewer,
/// so a share that is over its limit shrinks with each arrival.
const REMOVED: i64 = 64;

/// What a team keeps, and how much of it is not written yet.
struct Standing {
    total: MailUsage,
    unwritten: MailUsage,
    /// Bytes of refused mail.
    share: i64,
}

/// An alias as it was found, and what came for it since.
struct Counted {
    alias: Option<Alias>,
    received: i64,
    denied: i64,
}

impl<'a> Quota<'a> {
    /// Why the alias takes no mail, if so: it may have been changed since its address was
    /// asked for.
    pub(super) fn refusal(&mut self, tx: &mut Tx<'_>, to: &Recipient) -> Result<Option<Unroutable>> {
        let counted = match self.aliases.entry(to.alias) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(place) => {
                let alias = alias_rows::find_ever(tx, to.team, to.alias)?;
                place.insert(Counted { alias, received: 0, denied: 0 })
            }
        };
        Ok(match &counted.alias {
            Some(alias) => refusal(alias, to.way),
            None => Some(Unroutable::Unknown),
        })
    }

    /// Whether the team may keep so many bytes more; then it does. The first time for a team
    /// it also makes deliveries to it take turns, in whichever order they come to their
    /// contacts and conversations.
    pub(super) fn makes_room(
        &mut self,
        tx: &mut Tx<'_>,
        settings: &MailSettings,
        team: TeamId,
        bytes: i64,
    ) -> Result<bool> {
        let more = MailUsage::of(MessageState::Delivered, bytes);
        let standing = match self.teams.entry(team) {
            Entry::Occupied(found) => {
                let standing = found.into_mut();
                standing.add(more);
                standing
            }
            Entry::Vacant(place) => {
                let total = mail_usage::add(tx, team, more)?;
                place.insert(Standing { total, unwritten: MailUsage::default(), share: settings.refused })
            }
        };
        let fits = settings.quota().is_none_or(|quota| standing.total.bytes <= quota);
        if !fits {
            standing.add(-more);
        }
        Ok(fits)
    }

    /// Whether the message that [`Quota::makes_room`] just counted is in the part of the quota
    /// that is reserved for allowed contacts.
    pub(super) fn takes_reserve(&self, settings: &MailSettings, team: TeamId) -> bool {
        let free = settings.quota().map(|quota| quota - quota / RESERVE);
        let standing = self.teams.get(&team);
        free.zip(standing).is_some_and(|(free, standing)| standing.total.bytes > free)
    }

    /// What [`Quota::makes_room`] made room for is not kept after all.
    pub(super) fn gives_back(&mut self, team: TeamId, bytes: i64) {
        if let Some(standing) = self.teams.get_mut(&team) {
            standing.add(-MailUsage::of(MessageState::Delivered, bytes));
        }
    }

    /// Takes down a message whose row is at `seq`.
    pub(super) fn enter(&mut self, actor: &Actor, seq: i64, message: &NewMessage, arrival: &'a Arrival) {
        if let Some(counted) = self.aliases.get_mut(&message.alias_id) {
            match message.state {
                MessageState::Delivered => counted.received += 1,
                _ => counted.denied += 1,
            }
        }
        let (team, excerpt) = (message.team_id, Excerpt::of(message.state, arrival));
        if message.state.is_refused()
            && let Some(standing) = self.teams.get_mut(&team)
        {
            standing.add(message.usage());
        }
        self.contents.push(NewContent {
            seq,
            team_id: team,
            raw: excerpt.raw,
            text: excerpt.text,
            html: excerpt.html,
            headers: serde_json::to_string(excerpt.headers).unwrap_or_default(),
            authentication: serde_json::to_string(&arrival.authentication).unwrap_or_default(),
        });
        self.attachments.extend(excerpt.attachments.iter().map(|part| attachment(actor, team, seq, part)));
        self.words.push((team, seq, excerpt.words(team)));
    }

    /// Writes the rest. Words come after all other rows: between them SQLite would write its
    /// index of words once for each message.
    pub fn close(mut self, tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
        for (alias, Counted { received, denied, .. }) in self.aliases {
            alias_rows::count_arrivals(tx, alias, received, denied, now)?;
        }
        contents::insert(tx, &self.contents, &self.attachments)?;
        search::insert(tx, &self.words)?;
        for (team, standing) in &mut self.teams {
            standing.remove_oldest_refused(tx, *team)?;
            if standing.unwritten != MailUsage::default() {
                mail_usage::add(tx, *team, standing.unwritten)?;
            }
        }
        Ok(())
    }
}

impl Standing {
    fn add(&mut self, more: MailUsage) {
        self.total += more;
        self.unwritten += more;
    }

    fn is_over(&self) -> bool {
        self.total.refused_bytes + self.total.refused_messages * ROWS > self.share
    }

    /// Makes room for the refused messages of this transaction.
    fn remove_oldest_refused(&mut self, tx: &mut Tx<'_>, team: TeamId) -> Result<()> {
        let taken = self.unwritten.refused_messages;
        if taken <= 0 || !self.is_over() {
            return Ok(());
        }
        for (seq, bytes) in mail_usage::oldest_refused(tx, team, taken * REMOVED)? {
            if !self.is_over() {
                break;
            }
            rows::delete(tx, seq)?;
            contents::delete(tx, seq)?;
            search::delete(tx, seq)?;
            self.add(-MailUsage::of(MessageState::Rejected, bytes));
        }
        Ok(())
    }
}

fn attachment(actor: &Actor, team: TeamId, seq: i64, part: &Part) -> Attachment {
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
