use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::mpsc::Receiver;

use super::{Delivered, Delivery, Undelivered};
use crate::domain::actor::Actor;
use crate::domain::clock::Clock;
use crate::domain::mailroom::batch::Batch;
use crate::domain::mailroom::receive::{Outcome, receive};
use crate::domain::mailroom::route::MailSettings;
use crate::domain::people::teams::TeamId;
use crate::domain::{Error, Result};
use crate::store::Store;

/// The limits of a commit. With larger batches, all senders would wait for one commit and then send at once. With
/// smaller ones, some send while the messages of others are written.
const BATCH: usize = 32;
const BATCH_BYTES: usize = 32 << 20;
/// After this many consecutive failures to reach the store, the rest of a batch is skipped.
const MAX_FAILURES: usize = 3;

pub(super) struct Writer {
    pub store: Store,
    pub settings: Arc<MailSettings>,
    pub clock: Arc<dyn Clock>,
    /// One actor for all messages, so that ids of the same microsecond keep the order of arrival.
    pub actor: Actor,
    pub arrivals: broadcast::Sender<TeamId>,
}

impl Writer {
    pub fn run(&self, mut queue: Receiver<Delivery>) {
        while let Some(first) = queue.blocking_recv() {
            let batch = collect_batch(first, &mut queue);
            let outcomes = self.write_batch(&batch);
            for (delivery, outcome) in batch.into_iter().zip(outcomes) {
                if let Ok(Outcome::Stored { .. }) = outcome {
                    let _ = self.arrivals.send(delivery.recipient.team);
                }
                let _ = delivery.reply_to.send(outcome);
            }
        }
    }

    fn write_batch(&self, batch: &[Delivery]) -> Vec<Delivered> {
        match self.commit(batch) {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(cause) if batch.len() == 1 => vec![Err(log_undelivered(&cause))],
            Err(cause) => {
                tracing::warn!(%cause, messages = batch.len(), "writing messages one by one");
                self.write_each(batch)
            }
        }
    }

    fn write_each(&self, batch: &[Delivery]) -> Vec<Delivered> {
        let mut failures = 0;
        let each = batch.iter().map(|delivery| {
            if failures == MAX_FAILURES {
                return Err(Undelivered::Failed("the store is unreachable".into()));
            }
            let outcome = self.commit(std::slice::from_ref(delivery));
            let is_out_of_reach = outcome.as_ref().is_err_and(Error::is_out_of_reach);
            failures = if is_out_of_reach { failures + 1 } else { 0 };
            outcome.map_err(|cause| log_undelivered(&cause)).and_then(|mut outcomes| {
                outcomes.pop().ok_or_else(|| Undelivered::Failed("there is no outcome".into()))
            })
        });
        each.collect()
    }

    /// Stores all messages of the batch, or none.
    fn commit(&self, deliveries: &[Delivery]) -> Result<Vec<Outcome>> {
        let actor = self.actor.at(self.clock.now());
        let write = || {
            self.store.write(|tx| {
                let mut batch = Batch::new(&self.settings);
                let outcomes = deliveries.iter().map(|delivery| {
                    receive(tx, &actor, &delivery.mail.arrival, &delivery.recipient, &mut batch)
                });
                let outcomes = outcomes.collect::<Result<Vec<_>>>()?;
                batch.write(tx, actor.now)?;
                Ok(outcomes)
            })
        };
        // A message that causes a panic must not end the thread.
        catch_unwind(AssertUnwindSafe(write)).unwrap_or_else(|_| Err(Error::fault("a panic; see above")))
    }
}

/// Takes messages from the queue, up to the limits of a batch. Sorts them by team, so that all instances lock teams in
/// the same order and never deadlock.
fn collect_batch(first: Delivery, queue: &mut Receiver<Delivery>) -> Vec<Delivery> {
    let mut bytes = first.mail.arrival.raw.len();
    let mut batch = vec![first];
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        let Ok(next) = queue.try_recv() else { break };
        bytes += next.mail.arrival.raw.len();
        batch.push(next);
    }
    batch.sort_by_key(|delivery| delivery.recipient.team);
    batch
}

fn log_undelivered(cause: &Error) -> Undelivered {
    tracing::error!(%cause, "could not store a message; its sender is asked to try again");
    Undelivered::Failed(cause.to_string())
}
