use diesel::dsl::{case_when, exists};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::store::Tx;
use crate::store::backend::{Engine, on_engine};
use crate::store::clock;
use crate::store::columns::Timestamp;
use crate::store::error::{Error, OptionalRow, Result};
use crate::store::ids::{JobId, TeamId, WorkerId};
use crate::store::lists::{Window, list_rows};
use crate::store::schema::jobs;

#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = jobs)]
#[diesel(treat_none_as_null = true)]
pub struct QueuedJob {
    pub id: JobId,
    pub kind: String,
    pub queue: String,
    pub team_id: Option<TeamId>,
    pub dedupe_key: Option<String>,
    /// JSON.
    pub payload: String,
    pub created_at: Timestamp,
    pub due_at: Timestamp,
    pub attempts: i32,
    pub rerun: bool,
    pub worker: Option<WorkerId>,
    /// Microseconds of the database's clock.
    pub leased_until: Option<i64>,
    pub error: Option<String>,
    pub failed_at: Option<Timestamp>,
    pub died_at: Option<Timestamp>,
}

/// The attempts to add a job while other processes add and finish the same one.
const TRIES: u32 = 10;

/// Loads and locks rows until the transaction ends. SQLite has only one writer.
macro_rules! locked {
    ($tx:expr, $query:expr, $load:ident $(, $skip_locked:ident)?) => {
        match &mut *$tx.connection {
            Engine::Sqlite(inner) => $query.select(QueuedJob::as_select()).$load(inner),
            Engine::Postgres(inner) => {
                $query.select(QueuedJob::as_select()).for_update()$(.$skip_locked())?.$load(inner)
            }
        }
    };
}

/// Adds a job. If a live job has the same key, it gets the new payload, and the earlier due time unless it waits for a
/// retry. A running job runs again.
///
/// # Errors
/// `Unavailable` if other processes keep adding and finishing the same job.
pub(crate) fn insert(tx: &mut Tx<'_>, job: &QueuedJob) -> Result<()> {
    // An upsert in two statements, so another process may add or finish the row in between.
    for _ in 0..TRIES {
        if update_live(tx, job)? || insert_if_absent(tx, job)? {
            tx.enqueued = true;
            return Ok(());
        }
    }
    Err(Error::Unavailable("the same job was enqueued too often at the same time".into()))
}

fn update_live(tx: &mut Tx<'_>, job: &QueuedJob) -> Result<bool> {
    let Some(key) = &job.dedupe_key else { return Ok(false) };
    let live = jobs::table
        .filter(jobs::kind.eq(&job.kind).and(jobs::dedupe_key.eq(key)))
        .filter(jobs::died_at.is_null());
    let waits = jobs::leased_until.is_null().and(jobs::error.is_null());
    let due_at = case_when(waits.and(jobs::due_at.gt(job.due_at)), job.due_at.into_sql::<BigInt>())
        .otherwise(jobs::due_at);
    let change = (
        jobs::payload.eq(&job.payload),
        jobs::rerun.eq(jobs::leased_until.is_not_null()),
        jobs::due_at.eq(due_at),
    );
    Ok(diesel::update(live).set(change).execute(tx.connection)? > 0)
}

/// Adds a job unless a live one has the same key. Returns whether it was added.
pub(crate) fn insert_if_absent(tx: &mut Tx<'_>, job: &QueuedJob) -> Result<bool> {
    let added = on_engine!(&mut *tx.connection, inner => diesel::insert_into(jobs::table)
        .values(job)
        .on_conflict_do_nothing()
        .execute(inner))?;
    Ok(added > 0)
}

/// Makes a waiting job due at `due_at` if it would be due after `latest`.
pub(crate) fn bring_forward(
    tx: &mut Tx<'_>,
    (kind, dedupe_key): (&str, &str),
    latest: Timestamp,
    due_at: Timestamp,
) -> Result<()> {
    let late = jobs::table
        .filter(jobs::kind.eq(kind).and(jobs::dedupe_key.eq(dedupe_key)))
        .filter(jobs::leased_until.is_null().and(jobs::died_at.is_null()))
        .filter(jobs::due_at.gt(latest));
    diesel::update(late).set(jobs::due_at.eq(due_at)).execute(tx.connection)?;
    Ok(())
}

/// Whether [`lock_due`] or [`lock_expired`] would find a job.
pub(crate) fn has_claimable(
    tx: &mut Tx<'_>,
    queues: &[&str],
    kinds: &[&str],
    now: Timestamp,
) -> Result<bool> {
    let expired = jobs::table.filter(jobs::leased_until.lt(clock::now(tx)?));
    if diesel::select(exists(expired)).get_result(tx.connection)? {
        return Ok(true);
    }
    for queue in queues {
        let due = jobs::table
            .filter(jobs::queue.eq(queue).and(jobs::due_at.le(now)))
            .filter(jobs::leased_until.is_null().and(jobs::died_at.is_null()))
            .filter(jobs::kind.eq_any(kinds));
        if diesel::select(exists(due)).get_result(tx.connection)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns due jobs, longest due first, and locks them until the transaction ends.
pub fn lock_due(
    tx: &mut Tx<'_>,
    queue: &str,
    kinds: &[&str],
    now: Timestamp,
    limit: i64,
) -> Result<Vec<QueuedJob>> {
    let due = jobs::table
        .filter(jobs::queue.eq(queue).and(jobs::due_at.le(now)))
        .filter(jobs::leased_until.is_null().and(jobs::died_at.is_null()))
        .filter(jobs::kind.eq_any(kinds))
        .order((jobs::due_at, jobs::id))
        .limit(limit);
    Ok(locked!(tx, due, load, skip_locked)?)
}

/// Returns jobs with an expired lease, and locks them until the transaction ends.
pub fn lock_expired(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<QueuedJob>> {
    let expired = jobs::table.filter(jobs::leased_until.lt(clock::now(tx)?));
    let expired = expired.order(jobs::leased_until).limit(limit);
    Ok(locked!(tx, expired, load, skip_locked)?)
}

/// Returns a claimed job if its lease was not lost, and locks it until the transaction ends.
pub(crate) fn lock_claimed(tx: &mut Tx<'_>, claimed: &QueuedJob) -> Result<Option<QueuedJob>> {
    let held = jobs::table
        .filter(jobs::id.eq(claimed.id).and(jobs::attempts.eq(claimed.attempts)))
        .filter(jobs::worker.eq(claimed.worker));
    locked!(tx, held, get_result).optional_row()
}

/// Returns a job of `team`, or of any team if `None`, and locks it until the transaction ends.
pub(crate) fn lock(tx: &mut Tx<'_>, team: Option<TeamId>, id: JobId) -> Result<Option<QueuedJob>> {
    let is_any = team.is_none().into_sql::<Bool>();
    let row = jobs::table.filter(jobs::id.eq(id)).filter(jobs::team_id.eq(team).or(is_any));
    locked!(tx, row, get_result).optional_row()
}

/// # Errors
/// `Conflict` if another live job has the same key.
pub(crate) fn save(tx: &mut Tx<'_>, job: &QueuedJob) -> Result<()> {
    diesel::update(jobs::table.find(job.id)).set(job).execute(tx.connection)?;
    tx.enqueued |= job.leased_until.is_none() && job.died_at.is_none();
    Ok(())
}

pub(crate) fn delete(tx: &mut Tx<'_>, id: JobId) -> Result<()> {
    diesel::delete(jobs::table.find(id)).execute(tx.connection)?;
    Ok(())
}

pub(crate) fn find(tx: &mut Tx<'_>, id: JobId) -> Result<Option<QueuedJob>> {
    jobs::table.find(id).select(QueuedJob::as_select()).get_result(tx.connection).optional_row()
}

pub(crate) fn find_of(tx: &mut Tx<'_>, team: TeamId, id: JobId) -> Result<Option<QueuedJob>> {
    let of_team = jobs::table.filter(jobs::id.eq(id).and(jobs::team_id.eq(team)));
    of_team.select(QueuedJob::as_select()).get_result(tx.connection).optional_row()
}

pub(crate) fn has_died(tx: &mut Tx<'_>, (kind, dedupe_key): (&str, &str), since: Timestamp) -> Result<bool> {
    let dead = jobs::table
        .filter(jobs::kind.eq(kind).and(jobs::dedupe_key.eq(dedupe_key)))
        .filter(jobs::died_at.ge(since));
    Ok(diesel::select(exists(dead)).get_result(tx.connection)?)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Waiting,
    Running,
    /// Waits for another attempt.
    Failed,
    /// Will not be retried.
    Dead,
}

impl QueuedJob {
    pub fn state(&self) -> State {
        match self {
            Self { died_at: Some(_), .. } => State::Dead,
            Self { leased_until: Some(_), .. } => State::Running,
            Self { error: Some(_), .. } => State::Failed,
            _ => State::Waiting,
        }
    }
}

/// `None` does not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub team: Option<TeamId>,
    pub queue: Option<String>,
    pub kind: Option<String>,
    pub state: Option<State>,
}

type Query<'a> = jobs::BoxedQuery<'a, crate::store::backend::Backend>;

fn filtered(filter: &Filter) -> Query<'_> {
    let mut query = jobs::table.into_boxed();
    if let Some(team) = filter.team {
        query = query.filter(jobs::team_id.eq(team));
    }
    if let Some(queue) = &filter.queue {
        query = query.filter(jobs::queue.eq(queue));
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(jobs::kind.eq(kind));
    }
    let live = || jobs::leased_until.is_null().and(jobs::died_at.is_null());
    match filter.state {
        None => query,
        Some(State::Waiting) => query.filter(live()).filter(jobs::error.is_null()),
        Some(State::Running) => query.filter(jobs::leased_until.is_not_null()),
        Some(State::Failed) => query.filter(live()).filter(jobs::error.is_not_null()),
        Some(State::Dead) => query.filter(jobs::died_at.is_not_null()),
    }
}

pub fn list(tx: &mut Tx<'_>, filter: &Filter, window: Window<JobId>) -> Result<Vec<QueuedJob>> {
    Ok(list_rows!(tx, jobs, QueuedJob, filtered(filter), window))
}

/// Counts jobs, and stops at `limit`.
pub fn count(tx: &mut Tx<'_>, filter: &Filter, limit: i64) -> Result<i64> {
    let found: Vec<JobId> = filtered(filter).select(jobs::id).limit(limit).load(tx.connection)?;
    Ok(found.len() as i64)
}

pub(crate) fn oldest_due(tx: &mut Tx<'_>, queue: &str) -> Result<Option<Timestamp>> {
    jobs::table
        .filter(jobs::queue.eq(queue))
        .filter(jobs::leased_until.is_null().and(jobs::died_at.is_null()))
        .order(jobs::due_at.asc())
        .select(jobs::due_at)
        .first(tx.connection)
        .optional_row()
}

/// Removes a batch of jobs that died before `before`, and returns their number.
pub(crate) fn remove_dead(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<usize> {
    let ids: Vec<JobId> = jobs::table
        .filter(jobs::died_at.lt(before))
        .order(jobs::died_at.asc())
        .select(jobs::id)
        .limit(limit)
        .load(tx.connection)?;
    Ok(diesel::delete(jobs::table.filter(jobs::id.eq_any(ids))).execute(tx.connection)?)
}
