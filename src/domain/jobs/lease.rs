//! Leases of running jobs. A worker claims a job under a lease and extends it while the job runs. If the
//! worker dies, the lease expires and the job is requeued: each job runs at least once, on one worker at a
//! time.
//!
//! A claim counts the attempt and sets the time of the next one in advance, so that a job that kills its
//! process is not retried more often than others.

use time::Duration;

use super::{Kind, QueuedJob, chance, rows};
use crate::domain::actor::Actor;
use crate::domain::{Result, Timestamp};
use crate::store::{Tx, clock};

pub(crate) use crate::store::ids::WorkerId;

pub const LEASE: Duration = Duration::seconds(10);
const BATCH: i64 = 100;
const MAX_CAUSE: usize = 1000;
const WORKER_DIED: &str = "The server that ran this job stopped before the job was done.";

pub fn has_claimable(tx: &mut Tx<'_>, queues: &[&str], kinds: &[Kind], now: Timestamp) -> Result<bool> {
    Ok(rows::has_claimable(tx, queues, &names(kinds), now)?)
}

fn names(kinds: &[Kind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.name).collect()
}

/// Claims up to `limit` due jobs of a queue, the longest due first. Skips unknown kinds, which a newer
/// instance can enqueue during an upgrade. `worker` identifies this claim, because a job's attempts can
/// start again from 1.
pub fn claim(
    tx: &mut Tx<'_>,
    actor: &Actor,
    worker: WorkerId,
    queue: &str,
    kinds: &[Kind],
    limit: usize,
) -> Result<Vec<QueuedJob>> {
    let due = rows::lock_due(tx, queue, &names(kinds), actor.now, limit as i64)?;
    let until = lease_end(tx)?;
    let mut claimed = Vec::with_capacity(due.len());
    for job in due {
        let attempts = job.attempts.saturating_add(1);
        let retry = kind_of(&job, kinds).map(|kind| kind.retry).unwrap_or(super::Retry::DEFAULT);
        let due_at = actor.now.plus(retry.delay(attempts, chance(actor)));
        let job = QueuedJob {
            attempts,
            due_at,
            worker: Some(worker),
            leased_until: Some(until),
            rerun: false,
            ..job
        };
        rows::save(tx, &job)?;
        claimed.push(job);
    }
    Ok(claimed)
}

fn lease_end(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(clock::now(tx)? + LEASE.whole_microseconds() as i64)
}

fn kind_of<'k>(job: &QueuedJob, kinds: &'k [Kind]) -> Option<&'k Kind> {
    kinds.iter().find(|kind| kind.name == job.kind)
}

/// Extends the lease. Returns false if the lease was lost.
pub fn extend(tx: &mut Tx<'_>, claimed: &QueuedJob) -> Result<bool> {
    let Some(job) = rows::lock_claimed(tx, claimed)? else { return Ok(false) };
    let leased_until = Some(lease_end(tx)?);
    rows::save(tx, &QueuedJob { leased_until, ..job })?;
    Ok(true)
}

/// Removes a finished job from the queue, or schedules its next tick.
///
/// Like [`fail`] and [`release`], does nothing if the lease was lost.
pub fn finish(tx: &mut Tx<'_>, actor: &Actor, kind: &Kind, claimed: &QueuedJob) -> Result<()> {
    let Some(job) = rows::lock_claimed(tx, claimed)? else { return Ok(()) };
    let next = match kind.every {
        _ if job.rerun => Some(actor.now),
        Some(every) => Some(every.next(actor.now, chance(actor))),
        None => None,
    };
    match next {
        Some(due_at) => {
            Ok(rows::save(tx, &QueuedJob { due_at, error: None, failed_at: None, ..reset(job) })?)
        }
        None => Ok(rows::delete(tx, job.id)?),
    }
}

/// Schedules a retry of a failed job. The job is dead after its last attempt, or if it is `hopeless`. A
/// recurring job waits for its next tick instead.
pub fn fail(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &Kind,
    claimed: &QueuedJob,
    cause: &str,
    hopeless: bool,
) -> Result<()> {
    let Some(job) = rows::lock_claimed(tx, claimed)? else { return Ok(()) };
    let next = actor.now.plus(kind.retry.delay(job.attempts, chance(actor)));
    Ok(rows::save(tx, &failed(actor, kind, job, cause, hopeless, next))?)
}

fn failed(
    actor: &Actor,
    kind: &Kind,
    job: QueuedJob,
    cause: &str,
    hopeless: bool,
    next: Timestamp,
) -> QueuedJob {
    let error = Some(cause.chars().take(MAX_CAUSE).collect());
    let job = QueuedJob { error, failed_at: Some(actor.now), ..job };
    let may_retry = !hopeless && job.attempts < kind.retry.attempts;
    match kind.every {
        // Takes precedence over `rerun`, so that a job that keeps failing doesn't start over.
        _ if may_retry => QueuedJob { due_at: next, ..released(job) },
        _ if job.rerun => QueuedJob { due_at: next, ..reset(job) },
        Some(every) => QueuedJob { due_at: every.next(actor.now, chance(actor)), ..reset(job) },
        None => QueuedJob { died_at: Some(actor.now), ..released(job) },
    }
}

/// Releases an unfinished job for another worker. The attempt doesn't count.
pub fn release(tx: &mut Tx<'_>, actor: &Actor, claimed: &QueuedJob) -> Result<()> {
    let Some(job) = rows::lock_claimed(tx, claimed)? else { return Ok(()) };
    let attempts = job.attempts.saturating_sub(1);
    Ok(rows::save(tx, &QueuedJob { due_at: actor.now, attempts, ..released(job) })?)
}

/// Requeues jobs with expired leases, due at the time that their claim set. Returns their number.
pub fn requeue_expired(tx: &mut Tx<'_>, actor: &Actor, kinds: &[Kind]) -> Result<usize> {
    let expired = rows::lock_expired(tx, BATCH)?;
    for job in &expired {
        let due_at = job.due_at;
        let job = match kind_of(job, kinds) {
            Some(kind) => failed(actor, kind, job.clone(), WORKER_DIED, false, due_at),
            None => released(job.clone()),
        };
        rows::save(tx, &job)?;
    }
    Ok(expired.len())
}

fn released(job: QueuedJob) -> QueuedJob {
    QueuedJob { worker: None, leased_until: None, rerun: false, ..job }
}

fn reset(job: QueuedJob) -> QueuedJob {
    QueuedJob { attempts: 0, ..released(job) }
}
