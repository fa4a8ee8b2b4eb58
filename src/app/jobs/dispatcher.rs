//! Claims jobs and starts them, up to the concurrency of each queue.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::attempt::run_one;
use super::registry::{Registry, Running};
use crate::app::App;
use crate::domain::Result;
use crate::domain::jobs::{self, JobId, Kind, Queue, QueuedJob, WorkerId, lease};

/// The maximum delay before a job is found that another process enqueued or that has become due.
const POLL: Duration = Duration::from_secs(1);
const RECURRING: Duration = Duration::from_secs(600);

/// A running job, which occupies one slot of its queue's concurrency.
struct Slot {
    job: JobId,
    queue: &'static str,
    task: AbortHandle,
}

pub(super) struct Dispatcher {
    app: App,
    registry: Arc<Registry>,
    kinds: Arc<[Kind]>,
    queues: Vec<Queue>,
    running: Running,
    tasks: JoinSet<()>,
    places: HashMap<Id, Slot>,
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
        Self { app, registry, kinds, queues, running, tasks: JoinSet::new(), places: HashMap::new() }
    }

    pub(super) async fn run(mut self) {
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
    }

    async fn ensure_recurring(&self) {
        let (actor, kinds) = (self.app.system(), self.kinds.clone());
        let ensured = self.app.maintain(move |tx| jobs::ensure_recurring(tx, &actor, &kinds)).await;
        if let Err(cause) = ensured {
            tracing::warn!(%cause, "cannot enqueue the recurring jobs; retrying");
        }
    }

    pub(super) async fn claim(&mut self) -> Result<usize> {
        let free = self.free_slots();
        let names: Vec<_> = free.iter().map(|(queue, _)| *queue).collect();
        let (now, kinds) = (self.app.now(), self.kinds.clone());
        // Usually no job is due, and a read is cheaper than a write transaction.
        if !self.app.read(move |tx| lease::has_claimable(tx, &names, &kinds, now)).await? {
            return Ok(0);
        }
        let (actor, kinds) = (self.app.system(), self.kinds.clone());
        let asked = Instant::now();
        let claimed = self.app.maintain(move |tx| {
            lease::requeue_expired(tx, &actor, &kinds)?;
            let worker = WorkerId::new(actor.now, actor.chance());
            let mut claimed = Vec::new();
            for (queue, places) in free {
                claimed.extend(lease::claim(tx, &actor, worker, queue, &kinds, places)?);
            }
            Ok(claimed)
        });
        let claimed = claimed.await?;
        let count = claimed.len();
        for job in claimed {
            self.end_earlier(job.id).await;
            self.start(job, asked);
        }
        Ok(count)
    }

    fn free_slots(&self) -> Vec<(&'static str, usize)> {
        let free = self.queues.iter().map(|queue| {
            let taken = self.places.values().filter(|place| place.queue == queue.name).count();
            (queue.name, queue.concurrency.saturating_sub(taken))
        });
        free.filter(|(_, places)| *places > 0).collect()
    }

    /// Aborts an earlier attempt at the same job, whose lease expired by the database's clock although it still runs
    /// here.
    async fn end_earlier(&mut self, job: JobId) {
        self.places.values().filter(|place| place.job == job).for_each(|place| place.task.abort());
        while self.places.values().any(|place| place.job == job) && self.join_next().await {}
    }

    fn start(&mut self, job: QueuedJob, claimed: Instant) {
        let Some(queue) = self.queues.iter().find(|queue| queue.name == job.queue) else { return };
        let (id, queue) = (job.id, queue.name);
        let run = run_one(self.app.clone(), self.registry.clone(), job, claimed, self.running.clone());
        let task = self.tasks.spawn(run);
        self.places.insert(task.id(), Slot { job: id, queue, task });
    }

    /// Waits until one job ends. Returns false if none is running.
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
        self.places.remove(&ended.map_or_else(|fault| fault.id(), |(id, ())| id));
    }
}
