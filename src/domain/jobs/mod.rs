//! Background jobs. A job is enqueued in the transaction of the change that needs it, so that neither is
//! committed alone. It runs at least once: see [`lease`]. [`review`] lets people manage jobs.

pub mod lease;
pub mod review;

use serde::Serialize;
use serde::de::DeserializeOwned;
use time::Duration;

use super::actor::Actor;
use super::{FieldError, Result, Timestamp, entropy};
use crate::store::Tx;
use crate::store::ids::TeamId;
use crate::store::jobs as rows;

pub use crate::store::ids::{JobId, WorkerId};
pub use rows::{Filter, QueuedJob, State};

const MAX_PAYLOAD: usize = 64 << 10;
/// How long [`enqueue_unless_dead`] skips a dead job.
const SKIP_DEAD_FOR: Duration = Duration::DAY;
const RECURRING: &str = "recurring";

/// A group of job kinds: each process runs at most `concurrency` of their jobs at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    pub name: &'static str,
    pub concurrency: usize,
}

pub const MAINTENANCE: Queue = Queue { name: "maintenance", concurrency: 2 };
pub(crate) const LOOKUPS: Queue = Queue { name: "lookups", concurrency: 4 };

#[derive(Clone, Copy, Debug)]
pub struct Retry {
    pub attempts: i32,
    /// The delay after the first failure. It doubles with each further one, up to `max_delay`.
    pub first: Duration,
    pub max_delay: Duration,
}

impl Retry {
    pub const DEFAULT: Self = Self { attempts: 10, first: Duration::seconds(5), max_delay: Duration::HOUR };

    /// Adds up to a quarter at random, so that jobs that failed together are not retried together.
    fn delay(self, attempt: i32, chance: u8) -> Duration {
        let doublings = attempt.saturating_sub(1).clamp(0, 20);
        let delay = self.first.saturating_mul(1 << doublings).min(self.max_delay);
        delay + delay * i32::from(chance) / 1024
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Every {
    pub every: Duration,
    /// The offset from each full multiple of `every` in UTC. If `None`, the job is due `every` after each run.
    pub past: Option<Duration>,
    pub jitter: Duration,
    /// The delay after the first start of the instance.
    pub first: Duration,
}

impl Every {
    fn next(self, now: Timestamp, chance: u8) -> Timestamp {
        let base = match self.past {
            None => now,
            Some(past) => {
                let every = self.every.whole_microseconds().max(1) as i64;
                let ticks = now.minus(past).micros().div_euclid(every);
                Timestamp::from_micros(ticks * every).plus(past)
            }
        };
        base.plus(self.every + self.jitter * i32::from(chance) / 256)
    }
}

pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// Stored, so it must never change.
    const KIND: &'static str;
    /// Shown to people, like "Check a domain".
    const LABEL: &'static str;
    const QUEUE: Queue;
    const RETRY: Retry = Retry::DEFAULT;
    const TIMEOUT: Duration = Duration::MINUTE;
    /// If set, the job recurs: its only row returns to the queue after each run. Missed ticks are skipped.
    const EVERY: Option<Every> = None;

    /// At most one job with the same key waits in the queue.
    fn dedupe_key(&self) -> Option<String> {
        None
    }

    fn team(&self) -> Option<TeamId> {
        None
    }
}

/// The constants of a [`Job`] type as a value.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub name: &'static str,
    pub label: &'static str,
    pub queue: Queue,
    pub retry: Retry,
    pub timeout: Duration,
    pub every: Option<Every>,
}

impl Kind {
    pub const fn of<J: Job>() -> Self {
        Self {
            name: J::KIND,
            label: J::LABEL,
            queue: J::QUEUE,
            retry: J::RETRY,
            timeout: J::TIMEOUT,
            every: J::EVERY,
        }
    }
}

/// Enqueues a job that is due now, if the transaction commits.
///
/// # Errors
/// `Invalid` if its payload is larger than 64 KiB.
pub fn enqueue<J: Job>(tx: &mut Tx<'_>, actor: &Actor, job: &J) -> Result<()> {
    enqueue_at(tx, actor, job, actor.now)
}

/// Enqueues a job that is due later.
///
/// # Errors
/// Like [`enqueue`].
pub fn enqueue_at<J: Job>(tx: &mut Tx<'_>, actor: &Actor, job: &J, due_at: Timestamp) -> Result<()> {
    let payload = serde_json::to_string(job).unwrap_or_default();
    if payload.len() > MAX_PAYLOAD {
        return Err(FieldError::new("payload", "A job's payload can have at most 64 KiB.").into());
    }
    let row = row(actor, Kind::of::<J>(), payload, due_at);
    Ok(rows::insert(tx, &QueuedJob { dedupe_key: job.dedupe_key(), team_id: job.team(), ..row })?)
}

/// Like [`enqueue`], but does nothing if a job with the same key died within the last day. For recurring
/// work, which would otherwise replace a dead job at once.
///
/// # Errors
/// Like [`enqueue`].
pub fn enqueue_unless_dead<J: Job>(tx: &mut Tx<'_>, actor: &Actor, job: &J) -> Result<()> {
    match job.dedupe_key() {
        Some(key) if rows::has_died(tx, (J::KIND, &key), actor.now.minus(SKIP_DEAD_FOR))? => Ok(()),
        _ => enqueue(tx, actor, job),
    }
}

fn row(actor: &Actor, kind: Kind, payload: String, due_at: Timestamp) -> QueuedJob {
    QueuedJob {
        id: JobId::new(actor.now, actor.chance()),
        kind: kind.name.into(),
        queue: kind.queue.name.into(),
        team_id: None,
        dedupe_key: None,
        payload,
        created_at: actor.now,
        due_at,
        attempts: 0,
        rerun: false,
        worker: None,
        leased_until: None,
        error: None,
        failed_at: None,
        died_at: None,
    }
}

/// Enqueues each missing recurring job. A due time set by a wrong clock is corrected.
pub fn ensure_recurring(tx: &mut Tx<'_>, actor: &Actor, kinds: &[Kind]) -> Result<()> {
    for (kind, every) in kinds.iter().filter_map(|kind| Some((kind, kind.every?))) {
        let due_at = actor.now.plus(every.first);
        let new = row(actor, *kind, "null".into(), due_at);
        rows::insert_if_absent(tx, &QueuedJob { dedupe_key: Some(RECURRING.into()), ..new })?;
        let latest = every.next(actor.now, u8::MAX);
        rows::bring_forward(tx, (kind.name, RECURRING), latest, due_at)?;
    }
    Ok(())
}

fn chance(actor: &Actor) -> u8 {
    let [chance] = entropy::bytes::<1>(&*actor.entropy);
    chance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_its_maximum() {
        let retry = Retry { attempts: 9, first: Duration::seconds(4), max_delay: Duration::seconds(60) };
        let delays = [1, 2, 3, 4, 5, 6, i32::MAX].map(|attempt| retry.delay(attempt, 0).whole_seconds());
        assert_eq!(delays, [4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn ticks_are_offset_from_the_full_hour() {
        let minutes = |minutes: i64| Timestamp::from_micros(minutes * 60_000_000);
        let past = Some(Duration::minutes(10));
        let every = Every { every: Duration::HOUR, past, jitter: Duration::ZERO, first: Duration::ZERO };
        for (now, next) in [(0, 10), (9, 10), (10, 70), (69, 70), (70, 130)] {
            assert_eq!(every.next(minutes(now), 0), minutes(next), "{now}");
        }
        assert_eq!(Every { past: None, ..every }.next(minutes(9), 0), minutes(69));
    }

    #[test]
    fn jitter_adds_less_than_a_quarter() {
        let retry = Retry { attempts: 9, first: Duration::seconds(4), max_delay: Duration::seconds(60) };
        assert!(retry.delay(1, 0) < retry.delay(1, 1) && retry.delay(1, 255) < Duration::seconds(5));
    }
}
