//! What messages of one transaction have in common: read once, and written at its end for all
//! of them at once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::parse::Part;
use super::receive::{Arrival, Recipient};
use super::route::{Office, Unroutable, refusal};
use crate::domain::by::By;
use crate::domain::{Result, Timestamp};
use crate::store::Tx;
use crate::store::columns::MessageState;
use crate::store::ids::{AliasId, AttachmentId, TeamId};
use crate::store::mailroom::aliases::{self as alias_rows, Alias};
use crate::store::mailroom::contents::{self, Attachment, NewContent};
use crate::store::mailroom::messages::{self as rows, Kept, NewMessage};
use crate::store::mailroom::search;

/// What has not been written yet of messages that are being kept. [`Ledger::close`] ends their
/// transaction: without it they have no text, are found by no word and count nowhere.
#[derive(Default)]
#[must_use]
pub struct Ledger<'a> {
    teams: BTreeMap<TeamId, Standing>,
    aliases: BTreeMap<AliasId, Counted>,
    contents: Vec<NewContent<'a>>,
    attachments: Vec<Attachment>,
    words: Vec<(TeamId, i64, String)>,
}

/// What a team keeps, and how much of it is not written yet.
struct Standing {
    total: Kept,
    unwritten: Kept,
}

/// An alias as it was found, and what came for it since.
struct Counted {
    alias: Option<Alias>,
    received: i64,
    denied: i64,
}

impl<'a> Ledger<'a> {
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
        office: &Office,
        team: TeamId,
        bytes: i64,
    ) -> Result<bool> {
        let more = Kept { bytes, messages: 1 };
        let standing = match self.teams.entry(team) {
            Entry::Occupied(found) => {
                let standing = found.into_mut();
                standing.add(more);
                standing
            }
            Entry::Vacant(place) => {
                let total = rows::keep(tx, team, more)?;
                place.insert(Standing { total, unwritten: Kept::default() })
            }
        };
        let fits = office.quota().is_none_or(|quota| standing.total.bytes <= quota);
        if !fits {
            standing.add(-more);
        }
        Ok(fits)
    }

    /// What [`Ledger::makes_room`] made room for is not kept after all.
    pub(super) fn gives_back(&mut self, team: TeamId, bytes: i64) {
        if let Some(standing) = self.teams.get_mut(&team) {
            standing.add(-Kept { bytes, messages: 1 });
        }
    }

    /// Takes down a message whose row is at `seq`.
    pub(super) fn enter(&mut self, by: &By, seq: i64, message: &NewMessage, arrival: &'a Arrival) {
        if let Some(counted) = self.aliases.get_mut(&message.alias_id) {
            match message.state {
                MessageState::Delivered => counted.received += 1,
                _ => counted.denied += 1,
            }
        }
        let Arrival { parsed, raw, authentication, .. } = arrival;
        let team = message.team_id;
        self.contents.push(NewContent {
            seq,
            team_id: team,
            raw,
            text: &parsed.text,
            html: parsed.html.as_deref(),
            headers: serde_json::to_string(&parsed.headers).unwrap_or_default(),
            authentication: serde_json::to_string(authentication).unwrap_or_default(),
        });
        self.attachments.extend(parsed.attachments.iter().map(|part| attachment(by, team, seq, part)));
        self.words.push((team, seq, parsed.words.of_team(team)));
    }

    /// Writes the rest. Words come last: between other changes SQLite would write its index of
    /// them anew for each message.
    pub fn close(self, tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
        for (team, standing) in self.teams {
            if standing.unwritten != Kept::default() {
                rows::keep(tx, team, standing.unwritten)?;
            }
        }
        for (alias, Counted { received, denied, .. }) in self.aliases {
            alias_rows::count_arrivals(tx, alias, received, denied, now)?;
        }
        contents::insert(tx, &self.contents, &self.attachments)?;
        Ok(search::insert(tx, &self.words)?)
    }
}

impl Standing {
    fn add(&mut self, more: Kept) {
        self.total += more;
        self.unwritten += more;
    }
}

fn attachment(by: &By, team: TeamId, seq: i64, part: &Part) -> Attachment {
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
