//! Quotas of stored mail, and the limit on refused mail. Usage is read once per transaction, and written
//! once at its end.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::route::MailSettings;
use crate::domain::Result;
use crate::store::Tx;
use crate::store::columns::MessageState;
use crate::store::ids::TeamId;
use crate::store::mailroom::mail_usage::{self, MailUsage};
use crate::store::mailroom::{contents, messages, search};

pub(crate) use mail_usage::FullTeam;

/// One tenth of a quota is reserved for contacts that the team has allowed.
const RESERVE: i64 = 10;
/// The bytes that a refused message counts in addition to its own, about the size of its rows.
const ROW_BYTES: i64 = 4 << 10;
/// The maximum number of refused messages removed for each new one. One large message can replace more than
/// that, so the total shrinks to the limit over several arrivals.
const MAX_REMOVED: i64 = 64;

/// Lists teams whose quota is used up, by name.
pub fn full_teams(tx: &mut Tx<'_>, settings: &MailSettings, limit: i64) -> Result<Vec<FullTeam>> {
    match settings.quota() {
        Some(quota) => Ok(mail_usage::full_teams(tx, quota, limit)?),
        None => Ok(Vec::new()),
    }
}

pub(super) struct Quotas<'s> {
    settings: &'s MailSettings,
    teams: BTreeMap<TeamId, Account>,
}

struct Account {
    total: MailUsage,
    unwritten: MailUsage,
}

impl<'s> Quotas<'s> {
    pub fn new(settings: &'s MailSettings) -> Self {
        Self { settings, teams: BTreeMap::new() }
    }

    /// Counts a message if it fits into the team's quota. The first message of a team also locks its usage
    /// row, so that its deliveries take turns and can't deadlock over contacts.
    pub(crate) fn reserve(&mut self, tx: &mut Tx<'_>, team: TeamId, bytes: i64) -> Result<bool> {
        let more = MailUsage::of(MessageState::Delivered, bytes);
        let account = match self.teams.entry(team) {
            Entry::Occupied(found) => {
                let account = found.into_mut();
                account.add(more);
                account
            }
            Entry::Vacant(place) => {
                let total = mail_usage::add(tx, team, more)?;
                place.insert(Account { total, unwritten: MailUsage::default() })
            }
        };
        let fits = self.settings.quota().is_none_or(|quota| account.total.bytes <= quota);
        if !fits {
            account.add(-more);
        }
        Ok(fits)
    }

    /// Whether the usage has reached the part of the quota that is reserved for allowed contacts.
    pub(crate) fn is_in_reserve(&self, team: TeamId) -> bool {
        let free = self.settings.quota().map(|quota| quota - quota / RESERVE);
        let account = self.teams.get(&team);
        free.zip(account).is_some_and(|(free, account)| account.total.bytes > free)
    }

    pub(crate) fn release(&mut self, team: TeamId, bytes: i64) {
        if let Some(account) = self.teams.get_mut(&team) {
            account.add(-MailUsage::of(MessageState::Delivered, bytes));
        }
    }

    pub(crate) fn add_refused(&mut self, team: TeamId, usage: MailUsage) {
        if let Some(account) = self.teams.get_mut(&team) {
            account.add(usage);
        }
    }

    pub fn write(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let limit = self.settings.refused_bytes;
        for (team, account) in &mut self.teams {
            account.remove_oldest_refused(tx, *team, limit)?;
            if account.unwritten != MailUsage::default() {
                mail_usage::add(tx, *team, account.unwritten)?;
            }
        }
        Ok(())
    }
}

impl Account {
    fn add(&mut self, more: MailUsage) {
        self.total += more;
        self.unwritten += more;
    }

    fn exceeds(&self, limit: i64) -> bool {
        self.total.refused_bytes + self.total.refused_messages * ROW_BYTES > limit
    }

    fn remove_oldest_refused(&mut self, tx: &mut Tx<'_>, team: TeamId, limit: i64) -> Result<()> {
        let added = self.unwritten.refused_messages;
        if added <= 0 || !self.exceeds(limit) {
            return Ok(());
        }
        for (seq, bytes) in mail_usage::oldest_refused(tx, team, added * MAX_REMOVED)? {
            if !self.exceeds(limit) {
                break;
            }
            messages::delete(tx, seq)?;
            contents::delete(tx, seq)?;
            search::delete(tx, seq)?;
            self.add(-MailUsage::of(MessageState::Rejected, bytes));
        }
        Ok(())
    }
}
