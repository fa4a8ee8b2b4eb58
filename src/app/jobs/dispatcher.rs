//! Claims jobs as places become free, and keeps the leases of those that run.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::attempt::run_one;
use super::registry::{Registry, Running};
use crate::app::App;
use crate::domain::Result;
use crate::domain::jobs::lease::{self, LEASE};
use crate::domain::jobs::{self, JobId, Kind, Queue, QueuedJob, WorkerId};

/// How soon a job is found that another process enqueued, or that has become due.
const POLL: Duration = Duration::from_secs(1);
/// How often missing recurring jobs are enqueued again.
const RECURRING: Duration = Duration::from_secs(600);

/// Jobs that run here, whose leases are to be extended.
type Held = Arc<Mutex<HashMap<JobId, AbortHandle>>>;

pub(super) struct Dispatcher {
    app: App,
    registry: Arc<Registry>,
    kinds: Arc<[Kind]>,
    queues: Vec<Queue>,
    worker: WorkerId,
    running: Running,
    tasks: JoinSet<()>,
    places: HashMap<Id, (JobId, &'static str)>,
    held: Held,
}

impl Dispatcher {
    pub(super) fn new(app: App, registry: Arc<Registry>, running: Running) -> Self {
        let kinds: Arc<[Kind]> = registry.kinds().into();
        let mut queues: Vec<Queue> = Vec::new();
        for kind in kinds.iter().filter(|kind| kind.queue.concurrency > 0) {
            if !queues.contains(&kind.queue) {
                queues.push(kind.queue);
            }
        }
        let worker = WorkerId::new(app.now(), app.system().chance());
        Self {
            app,
            registry,
            kinds,
            queues,
            worker,
            running,
            tasks: JoinSet::new(),
            places: HashMap::new(),
            held: Held::default(),
        }
    }

    /// Until the runner stops.
    pub(super) async fn run(mut self) {
        let heartbeat = tokio::spawn(extend(self.app.clone(), self.worker, self.held.clone()));
        let mut recurring = interval(RECURRING);
        recurring.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let enqueued = self.app.0.jobs.enqueued.clone();
        loop {
            tokio::select! {
                biased;
                () = self.running.stopped() => break,
                _ = recurring.tick() => self.ensure_recurring().await,
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                () = enqueued.notified() => {}
                () = sleep(POLL) => {}
            }
            if let Err(cause) = self.claim().await {
                tracing::warn!(%cause, "cannot claim jobs; retrying");
            }
        }
        while self.join_next().await {}
        heartbeat.abort();
    }

    async fn ensure_recurring(&self) {
        let (actor, kinds) = (self.app.system(), self.kinds.clone());
        let ensured = self.app.maintain(move |tx| jobs::ensure_recurring(tx, &actor, &kinds)).await;
        if let Err(cause) = ensured {
            tracing::warn!(%cause, "cannot enqueue the recurring jobs; retrying");
        }
    }

    /// Claims as many jobs as there are free places and starts them; how many.
    pub(super) async fn claim(&mut self) -> Result<usize> {
        let free = self.free_places();
        let names: Vec<_> = free.iter().map(|(queue, _)| *queue).collect();
        let now = self.app.now();
        // A read is cheaper than a write transaction, and usually no job is due.
        if !self.app.read(move |tx| lease::has_claimable(tx, &names, now)).await? {
            return Ok(0);
        }
        let (actor, worker, kinds) = (self.app.system(), self.worker, self.kinds.clone());
        let claimed = self.app.maintain(move |tx| {
            lease::put_back_expired(tx, &actor, &kinds)?;
            let mut claimed = Vec::new();
            for (queue, places) in free {
                claimed.extend(lease::claim(tx, &actor, worker, queue, &kinds, places)?);
            }
            Ok(claimed)
        });
        let claimed = claimed.await?;
        let count = claimed.len();
        claimed.into_iter().for_each(|job| self.start(job));
        Ok(count)
    }

    fn free_places(&self) -> Vec<(&'static str, usize)> {
        let free = self.queues.iter().map(|queue| {
            let taken = self.places.values().filter(|(_, name)| *name == queue.name).count();
            (queue.name, queue.concurrency.saturating_sub(taken))
        });
        free.filter(|(_, places)| *places > 0).collect()
    }

    fn start(&mut self, job: QueuedJob) {
        let Some(queue) = self.queues.iter().find(|queue| queue.name == job.queue) else { return };
        let id = job.id;
        let run = run_one(self.app.clone(), self.registry.clone(), job, self.running.clone());
        let task = self.tasks.spawn(run);
        self.places.insert(task.id(), (id, queue.name));
        self.held.lock().insert(id, task);
    }

    /// Waits for the end of one job; whether any was running.
    pub(super) async fn join_next(&mut self) -> bool {
        match self.tasks.join_next_with_id().await {
            Some(ended) => {
                self.ended(ended);
                true
            }
            None => false,
        }
    }

    fn ended(&mut self, ended: std::result::Result<(Id, ()), JoinError>) {
        let task = ended.map_or_else(|fault| fault.id(), |(id, ())| id);
        if let Some((job, _)) = self.places.remove(&task) {
            self.held.lock().remove(&job);
        }
    }
}

/// Extends the leases of what runs here. A job whose lease another has meanwhile is broken off.
async fn extend(app: App, worker: WorkerId, held: Held) {
    let mut beat = interval(LEASE.unsigned_abs() / 3);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let known: Vec<_> = held.lock().iter().map(|(id, task)| (*id, task.id())).collect();
        if known.is_empty() {
            continue;
        }
        let asked: Vec<JobId> = known.iter().map(|(id, _)| *id).collect();
        match app.maintain(move |tx| lease::extend(tx, worker, &asked)).await {
            Err(cause) => tracing::warn!(%cause, "the leases of jobs could not be extended"),
            Ok(extended) => {
                let held = held.lock();
                let lost = known.iter().filter(|(id, _)| !extended.contains(id));
                let lost = lost.filter_map(|(id, task)| held.get(id).filter(|it| it.id() == *task));
                lost.for_each(AbortHandle::abort);
            }
        }
    }
}
