//! How mail gets from a door to the store.
//!
//! A door asks [`App::route_recipient`] for each address it is named, and hands the message
//! to [`App::deliver`]. One thread writes, in groups: while one group is being committed the
//! next one gathers, so that the cost of a commit is shared. A door hears of a message only
//! when its group is on disk. A message that cannot be kept takes its group back with it;
//! then each of the group is tried by itself.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{Semaphore, broadcast, oneshot};
use tokio::time::timeout;

use super::{App, blocking};
use crate::config::Config;
use crate::domain::by::By;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::mailroom::authentication::Authentication;
use crate::domain::mailroom::ledger::Ledger;
use crate::domain::mailroom::parse::parse;
use crate::domain::mailroom::receive::{self, Arrival, Office, Outcome, REFUSED, Recipient, Unroutable};
use crate::domain::people::teams::TeamId;
use crate::domain::{Error, Result};
use crate::store::{self, Store};

/// Messages, and their bytes, in one commit. With more, all doors wait for one commit and then
/// all talk at once; so some talk while the messages of others are kept.
const GROUP: usize = 32;
const GROUP_BYTES: usize = 32 << 20;
/// Messages that wait for a commit; further doors wait for a place.
const QUEUE: usize = 512;
/// How long a door waits to hear of its message. One that is kept after that is the same
/// message when its sender tries again.
const PATIENCE: Duration = Duration::from_secs(30);
/// A message of so many bytes is read at once, others on a thread that may block.
const SHORT: usize = 16 << 10;
/// Messages in a row that find the store out of reach before the rest of a group is not tried.
const VAIN: usize = 3;

/// Who hands a message over, and for whom it says to come.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    /// `None` for a bounce.
    pub from: Option<String>,
    pub helo: String,
    pub ip: Option<IpAddr>,
    pub tls: bool,
}

/// The message is not kept: its sender should try again later. The cause is for the log.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the message could not be kept: {0}")]
pub struct Undelivered(String);

pub type Delivered = std::result::Result<Outcome, Undelivered>;

impl App {
    /// Where mail is taken, and how much of it.
    pub fn office(&self) -> &Arc<Office> {
        &self.0.post.office
    }

    /// The teams to which mail has come, as it comes to this process.
    pub fn arrivals(&self) -> broadcast::Receiver<TeamId> {
        self.0.post.arrivals.subscribe()
    }

    /// Whom an address leads to.
    ///
    /// # Errors
    /// When the store is out of reach: the door asks its client to try again.
    pub async fn route_recipient(&self, address: &str) -> Result<std::result::Result<Recipient, Unroutable>> {
        if let Some(recipient) = self.0.recipients.get(address) {
            return Ok(Ok(recipient));
        }
        let changes = self.0.recipients.changes();
        let (office, to) = (self.office().clone(), address.to_owned());
        let routed = self.read(move |tx| receive::route(tx, &office, &to)).await?;
        if let Ok(recipient) = &routed {
            self.0.recipients.keep(changes, recipient);
        }
        if routed != Err(Unroutable::Unknown) || !receive::is_postmaster(address) {
            return Ok(routed);
        }
        let (office, to, by) = (self.office().clone(), address.to_owned(), self.gatepost());
        self.write(move |tx| {
            receive::make_postmaster(tx, &by, &office, &to)?;
            receive::route(tx, &office, &to)
        })
        .await
    }

    /// Keeps a message for each of its recipients and says, in their order, what became of it.
    /// Whatever is `Ok` is on disk.
    pub async fn deliver(
        &self,
        envelope: Envelope,
        raw: Vec<u8>,
        authentication: Authentication,
        to: Vec<Recipient>,
    ) -> Vec<Delivered> {
        let count = to.len();
        match timeout(PATIENCE, self.post(envelope, raw, authentication, to)).await {
            Ok(outcomes) => outcomes,
            Err(_) => vec![Err(Undelivered("it took too long".into())); count],
        }
    }

    async fn post(
        &self,
        envelope: Envelope,
        raw: Vec<u8>,
        authentication: Authentication,
        to: Vec<Recipient>,
    ) -> Vec<Delivered> {
        let arrival = match self.read_message(envelope, raw, authentication).await {
            Ok(arrival) => Arc::new(arrival),
            Err(cause) => return vec![Err(Undelivered(cause.to_string())); to.len()],
        };
        let mut answers = Vec::with_capacity(to.len());
        for recipient in to {
            answers.push(self.0.post.send(arrival.clone(), recipient).await);
        }
        let mut outcomes = Vec::with_capacity(answers.len());
        for answer in answers {
            outcomes.push(answer.await.unwrap_or_else(|_| Err(Undelivered("Gatepost is ending".into()))));
        }
        outcomes
    }

    async fn read_message(
        &self,
        envelope: Envelope,
        raw: Vec<u8>,
        authentication: Authentication,
    ) -> Result<Arrival> {
        let Envelope { from, helo, ip, tls } = envelope;
        let raw: Arc<[u8]> = raw.into();
        let parsed = if raw.len() <= SHORT {
            parse(&raw)
        } else {
            let _permit = self.0.post.readers.acquire().await;
            let raw = raw.clone();
            blocking(move || Ok(parse(&raw))).await?
        };
        Ok(Arrival { envelope_from: from, helo, ip, tls, raw, parsed, authentication })
    }
}

/// A message on its way to one recipient.
struct Delivery {
    arrival: Arc<Arrival>,
    recipient: Recipient,
    told: oneshot::Sender<Delivered>,
}

/// The thread that keeps messages, and the way to it.
pub(super) struct Post {
    office: Arc<Office>,
    queue: Mutex<Option<Sender<Delivery>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    arrivals: broadcast::Sender<TeamId>,
    /// Long messages that are read at once.
    readers: Semaphore,
}

impl Post {
    pub fn open(store: Store, config: &Config, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let office = Arc::new(Office {
            domain: config.mail.domain.clone(),
            quota: config.mail.quota,
            refused: REFUSED,
        });
        let (queue, waiting) = channel(QUEUE);
        let (arrivals, _) = broadcast::channel(QUEUE);
        let by = By::gatepost(clock.now(), entropy);
        let writer = Writer { store, office: office.clone(), clock, by, arrivals: arrivals.clone() };
        let thread = std::thread::Builder::new()
            .name("post".into())
            .spawn(move || writer.run(waiting))
            .expect("the system starts a thread");
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            office,
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            arrivals,
            readers: Semaphore::new(threads),
        }
    }

    /// The way to what will have become of a message. It closes without an answer when the
    /// process ends.
    async fn send(&self, arrival: Arc<Arrival>, recipient: Recipient) -> oneshot::Receiver<Delivered> {
        let (told, answer) = oneshot::channel();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(queue) = queue {
            let _ = queue.send(Delivery { arrival, recipient, told }).await;
        }
        answer
    }

    /// Keeps what waits, and takes nothing more.
    pub fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

struct Writer {
    store: Store,
    office: Arc<Office>,
    clock: Arc<dyn Clock>,
    /// Whoever keeps messages. One for all, so that those of one moment order as they came.
    by: By,
    arrivals: broadcast::Sender<TeamId>,
}

impl Writer {
    fn run(&self, mut queue: Receiver<Delivery>) {
        while let Some(first) = queue.blocking_recv() {
            let group = gather(first, &mut queue);
            let outcomes = self.keep(&group);
            for (delivery, outcome) in group.into_iter().zip(outcomes) {
                if let Ok(Outcome::Stored { .. }) = outcome {
                    let _ = self.arrivals.send(delivery.recipient.team);
                }
                // Nobody waits any more when it took too long.
                let _ = delivery.told.send(outcome);
            }
        }
    }

    fn keep(&self, group: &[Delivery]) -> Vec<Delivered> {
        match self.commit(group) {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(cause) if group.len() == 1 => vec![Err(undelivered(&cause))],
            Err(cause) => {
                tracing::warn!(%cause, messages = group.len(), "messages are kept one by one");
                self.keep_each(group)
            }
        }
    }

    fn keep_each(&self, group: &[Delivery]) -> Vec<Delivered> {
        let mut vain = 0;
        let each = group.iter().map(|delivery| {
            if vain == VAIN {
                return Err(Undelivered("the store is out of reach".into()));
            }
            let outcome = self.commit(std::slice::from_ref(delivery));
            let out_of_reach = matches!(outcome, Err(Error::Store(store::Error::Unavailable(_))));
            vain = if out_of_reach { vain + 1 } else { 0 };
            outcome.map_err(|cause| undelivered(&cause)).and_then(|mut outcomes| {
                outcomes.pop().ok_or_else(|| Undelivered("nothing became of it".into()))
            })
        });
        each.collect()
    }

    /// All of the group, or nothing.
    fn commit(&self, group: &[Delivery]) -> Result<Vec<Outcome>> {
        let by = self.by.at(self.clock.now());
        let write = || {
            self.store.write(|tx| {
                let mut ledger = Ledger::default();
                let outcomes = group.iter().map(|it| {
                    receive::receive(tx, &by, &self.office, &it.arrival, &it.recipient, &mut ledger)
                });
                let outcomes = outcomes.collect::<Result<Vec<_>>>()?;
                ledger.close(tx, by.now)?;
                Ok(outcomes)
            })
        };
        // A fault with one message must not end the thread that keeps them all.
        catch_unwind(AssertUnwindSafe(write))
            .unwrap_or_else(|_| Err(store::Error::Fault("a panic; see above".into()).into()))
    }
}

/// What waits, up to a group, sorted by team: in one order always, so that writers of several
/// instances never wait for each other.
fn gather(first: Delivery, queue: &mut Receiver<Delivery>) -> Vec<Delivery> {
    let mut bytes = first.arrival.raw.len();
    let mut group = vec![first];
    while group.len() < GROUP && bytes < GROUP_BYTES {
        let Ok(next) = queue.try_recv() else { break };
        bytes += next.arrival.raw.len();
        group.push(next);
    }
    group.sort_by_key(|delivery| delivery.recipient.team);
    group
}

fn undelivered(cause: &Error) -> Undelivered {
    tracing::error!(%cause, "a message could not be kept; its sender is asked to try again");
    Undelivered(cause.to_string())
}
