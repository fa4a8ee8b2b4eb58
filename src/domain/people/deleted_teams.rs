//! Deletes a team. The transaction of the deletion ends access for people, tokens, mail and jobs. The job
//! [`PurgeTeam`] then removes the rows in batches.

use serde::{Deserialize, Serialize};
use time::Duration;

use super::roles::Role;
use super::teams;
use crate::domain::access::activity::{self, ActivityKind, Event};
use crate::domain::access::tokens;
use crate::domain::actor::Actor;
use crate::domain::jobs::{self, Job, MAINTENANCE, Queue, Retry};
use crate::domain::lists::{Capped, Window};
use crate::domain::mailroom::address::POSTMASTER;
use crate::domain::mailroom::{aliases, contacts, mail_domains, messages};
use crate::domain::{Error, Result, Timestamp};
use crate::store::Tx;
use crate::store::ids::TeamId;
use crate::store::people::{deleted_teams as rows, members as member_rows};

/// Messages and other rows removed per transaction.
const MESSAGES: i64 = 100;
const ROWS: i64 = 500;

/// The amount of a team's data.
#[derive(Clone, Copy, Debug)]
pub struct Contents {
    pub messages: i64,
    pub aliases: Capped,
    pub contacts: Capped,
    pub domains: usize,
    pub tokens: Capped,
    pub people: i64,
}

pub fn contents(tx: &mut Tx<'_>, team: TeamId) -> Result<Contents> {
    let usage = messages::usage(tx, team)?;
    Ok(Contents {
        messages: usage.messages + usage.refused_messages,
        aliases: aliases::count(tx, team, &aliases::Filter::default())?,
        contacts: contacts::count(tx, team, &contacts::Filter::default())?,
        domains: mail_domains::list(tx, team)?.len(),
        tokens: tokens::count(tx, team, &tokens::Filter::ACTIVE)?,
        people: member_rows::page(tx, team, 0, 0)?.1,
    })
}

/// A committed deletion.
#[derive(Clone, Debug)]
pub struct Deletion {
    pub name: String,
    pub at: Timestamp,
}

/// # Errors
/// `Forbidden` unless the actor is the owner or the operator.
pub fn delete(tx: &mut Tx<'_>, actor: &Actor, team: TeamId) -> Result<Deletion> {
    actor.require(tx, team, Role::Owner)?;
    let (before, had) = (teams::find(tx, team)?, contents(tx, team)?);
    // First, because on Postgres this waits for transactions that add rows to the team.
    if !rows::mark(tx, team, &name_of(team), actor.now)? {
        return Err(Error::NotFound);
    }
    close(tx, team, actor.now)?;
    rows::mark_sessions(tx, team)?;
    rows::remove_people(tx, team)?;
    rows::remove_invitations(tx, team)?;
    rows::remove_jobs(tx, team)?;
    let event = Event::of(ActivityKind::TeamDeleted)
        .subject(&before.name)
        .detail("messages", had.messages)
        .detail("aliases", had.aliases.0)
        .detail("contacts", had.contacts.0)
        .detail("domains", had.domains as i64)
        .detail("tokens", had.tokens.0)
        .detail("people", had.people);
    activity::record(tx, actor, team, event)?;
    jobs::enqueue(tx, actor, &PurgeTeam { team, pass: 0 })?;
    Ok(Deletion { name: before.name, at: actor.now })
}

/// The new name of a deleted team, so that another team can use the old one.
fn name_of(team: TeamId) -> String {
    team.to_string()
}

fn close(tx: &mut Tx<'_>, team: TeamId, now: Timestamp) -> Result<usize> {
    Ok(rows::close_addresses(tx, team, (POSTMASTER, &name_of(team)), now)?)
}

/// Returns the deletion of a team, with its former name. `None` for a team that exists or never existed.
pub fn find(tx: &mut Tx<'_>, team: TeamId) -> Result<Option<Deletion>> {
    let Some(at) = rows::find(tx, team)? else { return Ok(None) };
    let kinds = Some(vec![ActivityKind::TeamDeleted]);
    let filter = activity::Filter { kinds, ..activity::Filter::default() };
    let record = activity::list(tx, team, &filter, Window::first(1))?.rows.pop();
    let name = record.and_then(|record| record.subject).unwrap_or_else(|| name_of(team));
    Ok(Some(Deletion { name, at }))
}

/// Removes the rows of a deleted team. Later passes remove rows that were being added during the deletion.
#[derive(Debug, Serialize, Deserialize)]
pub struct PurgeTeam {
    pub team: TeamId,
    pub pass: u32,
}

impl Job for PurgeTeam {
    const KIND: &'static str = "teams.purge";
    const LABEL: &'static str = "Remove a deleted team's data";
    const QUEUE: Queue = MAINTENANCE;
    /// Many, because it must succeed eventually, and each attempt continues where the last one stopped.
    const RETRY: Retry = Retry { attempts: 10_000, ..Retry::DEFAULT };
    const TIMEOUT: Duration = Duration::hours(12);

    fn dedupe_key(&self) -> Option<String> {
        Some(format!("{}/{}", self.team, self.pass))
    }
}

impl PurgeTeam {
    /// Enqueues the next pass, unless a later pass has found no rows.
    pub(crate) fn enqueue_next(&self, tx: &mut Tx<'_>, actor: &Actor, removed: usize) -> Result<()> {
        let delay = match self.pass {
            // Longer than any request or delivery.
            0 => Duration::minutes(5),
            _ if removed > 0 => Duration::HOUR,
            _ => return Ok(()),
        };
        jobs::enqueue_at(tx, actor, &Self { team: self.team, pass: self.pass + 1 }, actor.now.plus(delay))
    }
}

type Step = fn(&mut Tx<'_>, TeamId) -> Result<usize>;

/// Ordered so that no row refers to a removed one.
const STEPS: [Step; 8] = [
    remove_messages,
    |tx, team| Ok(rows::remove_contacts(tx, team, ROWS)?),
    |tx, team| Ok(rows::remove_mail_days(tx, team, ROWS)?),
    |tx, team| Ok(rows::remove_call_counts(tx, team, ROWS)?),
    |tx, team| Ok(rows::remove_tokens(tx, team, ROWS)?),
    |tx, team| Ok(rows::remove_activity(tx, team, ROWS)?),
    |tx, team| Ok(rows::remove_own_aliases(tx, team, ROWS)?),
    |tx, team| Ok(rows::remove_rest(tx, team, &name_of(team))?),
];

/// Removes the next batch of a deleted team's rows. Returns its size, or `None` if no rows are left.
///
/// # Errors
/// `NotFound` for a team that is not deleted.
pub fn purge_some(tx: &mut Tx<'_>, team: TeamId) -> Result<Option<usize>> {
    let at = rows::find(tx, team)?.ok_or(Error::NotFound)?;
    let late = close(tx, team, at)?;
    for step in STEPS {
        let removed = step(tx, team)?;
        if removed > 0 {
            return Ok(Some(late + removed));
        }
    }
    Ok(Some(late).filter(|late| *late > 0))
}

fn remove_messages(tx: &mut Tx<'_>, team: TeamId) -> Result<usize> {
    let found = messages::list(tx, team, &messages::Filter::default(), Window::first(MESSAGES))?.rows;
    found.iter().try_for_each(|message| messages::remove(tx, team, message))?;
    Ok(found.len())
}
