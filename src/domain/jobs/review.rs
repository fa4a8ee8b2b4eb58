use time::Duration;

use super::{Filter, JobId, Kind, QueuedJob, RECURRING, State, rows};
use crate::domain::access::activity::{self, ActivityKind, Event};
use crate::domain::actor::{Actor, Identity};
use crate::domain::lists::{Capped, Page, Window};
use crate::domain::people::roles::Role;
use crate::domain::{Error, Result, Timestamp};
use crate::store::Tx;
use crate::store::ids::TeamId;

const DEAD_RETENTION: Duration = Duration::days(30);
const BATCH: i64 = 500;

impl State {
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Running, Self::Failed, Self::Dead];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Dead => "dead",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

pub fn list(tx: &mut Tx<'_>, filter: &Filter, window: Window<JobId>) -> Result<Page<QueuedJob, JobId>> {
    Page::load(window, |window| rows::list(tx, filter, window), |job| job.id)
}

pub(crate) fn count(tx: &mut Tx<'_>, filter: &Filter) -> Result<Capped> {
    Capped::count(|limit| rows::count(tx, filter, limit))
}

pub(crate) fn find(tx: &mut Tx<'_>, id: JobId) -> Result<QueuedJob> {
    rows::find(tx, id)?.ok_or(Error::NotFound)
}

/// A job that the owner of `team` sees.
pub(crate) fn find_of(tx: &mut Tx<'_>, team: TeamId, id: JobId) -> Result<QueuedJob> {
    rows::find_of(tx, team, id)?.ok_or(Error::NotFound)
}

/// Makes a job due now, even a dead one.
///
/// # Errors
/// `Conflict` if it is running, or if the same job is already waiting.
pub fn retry(tx: &mut Tx<'_>, actor: &Actor, team: Option<TeamId>, id: JobId, kinds: &[Kind]) -> Result<()> {
    let job = lock(tx, actor, team, id)?;
    record(tx, actor, &job, kinds, ActivityKind::JobRetried)?;
    let again =
        QueuedJob { due_at: actor.now, attempts: 0, error: None, failed_at: None, died_at: None, ..job };
    let waiting = "The same job is already waiting.";
    rows::save(tx, &again).map_err(|error| Error::from(error).as_conflict("id", waiting))
}

/// Removes a job without running it.
///
/// # Errors
/// `Conflict` if it is running or recurs.
pub fn drop(tx: &mut Tx<'_>, actor: &Actor, team: Option<TeamId>, id: JobId, kinds: &[Kind]) -> Result<()> {
    let job = lock(tx, actor, team, id)?;
    if job.dedupe_key.as_deref() == Some(RECURRING) {
        return Err(Error::conflict("id", "This job recurs, so it can't be dropped."));
    }
    record(tx, actor, &job, kinds, ActivityKind::JobDropped)?;
    Ok(rows::delete(tx, id)?)
}

/// Locks a job for a change. The owner can change the team's jobs, and the operator all jobs.
fn lock(tx: &mut Tx<'_>, actor: &Actor, team: Option<TeamId>, id: JobId) -> Result<QueuedJob> {
    match team {
        Some(team) => actor.require(tx, team, Role::Owner)?,
        None if actor.identity == Identity::Operator => {}
        None => return Err(Error::NotFound),
    }
    let job = rows::lock(tx, team, id)?.ok_or(Error::NotFound)?;
    match job.state() {
        State::Running => Err(Error::conflict("id", "This job is running. Try again when it has ended.")),
        _ => Ok(job),
    }
}

fn record(tx: &mut Tx<'_>, actor: &Actor, job: &QueuedJob, kinds: &[Kind], done: ActivityKind) -> Result<()> {
    let Some(team) = job.team_id else { return Ok(()) };
    let kind = kinds.iter().find(|kind| kind.name == job.kind);
    let subject = kind.map_or(job.kind.as_str(), |kind| kind.label);
    let event = Event::of(done).subject(subject).detail("job", job.id.to_string());
    activity::record(tx, actor, team, event)
}

#[derive(Clone, Debug)]
pub(crate) struct QueueCounts {
    pub queue: &'static str,
    pub by_state: [(State, Capped); 4],
    pub oldest_waiting: Duration,
}

pub(crate) fn counts(tx: &mut Tx<'_>, queue: &'static str, now: Timestamp) -> Result<QueueCounts> {
    let mut by_state = State::ALL.map(|state| (state, Capped(0)));
    for (state, count) in &mut by_state {
        let filter = Filter { queue: Some(queue.into()), state: Some(*state), ..Filter::default() };
        *count = Capped::count(|limit| rows::count(tx, &filter, limit))?;
    }
    let oldest = rows::oldest_due(tx, queue)?;
    let oldest_waiting = oldest.map_or(Duration::ZERO, |due| now.since(due).max(Duration::ZERO));
    Ok(QueueCounts { queue, by_state, oldest_waiting })
}

pub fn remove_some_dead(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    Ok(rows::remove_dead(tx, now.minus(DEAD_RETENTION), BATCH)?)
}
