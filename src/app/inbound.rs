//! How mail gets from a door to the store.
//!
//! A door asks [`App::route_recipient`] for each address it is named, and hands the message
//! to [`App::deliver`]. One thread writes, in groups: while one batch is being committed the
//! next one gathers, so that the cost of a commit is shared. A door hears of a message only
//! when its batch is on disk. A message that cannot be kept takes its batch back with it;
//! then each of the batch is tried by itself.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, oneshot};
use tokio::time::timeout;

use super::memory::Share;
use super::{App, blocking};
use crate::config::Config;
use crate::domain::actor::Actor;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::mailroom::authentication::Authentication;
use crate::domain::mailroom::parse::parse;
use crate::domain::mailroom::quota::Quota;
use crate::domain::mailroom::receive::{
    self, Arrival, MailSettings, Outcome, REFUSED, Recipient, Unroutable,
};
use crate::domain::people::teams::TeamId;
use crate::domain::{Error, Result};
use crate::store::{self, Store};

/// Messages, and their bytes, in one commit. With more, all doors wait for one commit and then
/// all talk at once; so some talk while the messages of others are kept.
const BATCH: usize = 32;
const BATCH_BYTES: usize = 32 << 20;
/// Messages that wait for a commit; further doors wait for a place.
const QUEUE: usize = 512;
const QUEUE_BYTES: usize = 64 << 20;
/// How long a door waits to hear of its message. One that is kept after that is the same
/// message when its sender tries again.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of long messages that are read at once: reading takes some times as many.
const PARSING_BYTES: usize = 32 << 20;
/// A message of so many bytes is read at once, others on a thread that may block.
const SHORT_MESSAGE: usize = 16 << 10;
/// Messages in a row that find the store out of reach before the rest of a batch is not tried.
const MAX_FAILURES: usize = 3;

/// Who hands a message over, and for whom it says to come.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    /// `None` for a bounce.
    pub from: Option<String>,
    pub helo: String,
    pub ip: Option<IpAddr>,
    pub tls: bool,
}

/// The message is not kept: its sender should try again later.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Undelivered {
    /// The cause is for the log.
    #[error("the message could not be kept: {0}")]
    Failed(String),
    #[error("too much mail is being received")]
    Crowded,
    #[error("who sent it could not be found out, and their domain asks to refuse forgeries")]
    Unverified,
}

pub type Delivered = std::result::Result<Outcome, Undelivered>;

impl App {
    /// Where mail is taken, and how much of it.
    pub fn mail_settings(&self) -> &Arc<MailSettings> {
        &self.0.inbound.settings
    }

    /// The teams to which mail has come, as it comes to this process.
    pub fn arrivals(&self) -> broadcast::Receiver<TeamId> {
        self.0.inbound.arrivals.subscribe()
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
        let (settings, to) = (self.mail_settings().clone(), address.to_owned());
        let (routed, lacks_postmaster) = self
            .read(move |tx| {
                let routed = receive::route(tx, &settings, &to)?;
                let unknown = routed == Err(Unroutable::Unknown);
                Ok((routed, unknown && receive::lacks_postmaster(tx, &settings, &to)?))
            })
            .await?;
        if let Ok(recipient) = &routed {
            self.0.recipients.keep(changes, recipient);
        }
        if !lacks_postmaster {
            return Ok(routed);
        }
        let (settings, to, actor) = (self.mail_settings().clone(), address.to_owned(), self.system());
        self.write(move |tx| {
            receive::make_postmaster(tx, &actor, &settings, &to)?;
            receive::route(tx, &settings, &to)
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
        self.deliver_sharing(Share::default(), envelope, raw, authentication, to).await
    }

    /// The same for a message that takes a share of the memory for all.
    pub(super) async fn deliver_sharing(
        &self,
        share: Share,
        envelope: Envelope,
        raw: Vec<u8>,
        authentication: Authentication,
        to: Vec<Recipient>,
    ) -> Vec<Delivered> {
        let count = to.len();
        let posted = async {
            let mail = self.read_message(share, envelope, raw, authentication).await?;
            Ok(self.post(Arc::new(mail), to).await)
        };
        match timeout(DELIVERY_TIMEOUT, posted).await {
            Ok(Ok(outcomes)) => outcomes,
            Ok(Err(why)) => vec![Err(why); count],
            Err(_) => vec![Err(Undelivered::Failed("it took too long".into())); count],
        }
    }

    async fn post(&self, mail: Arc<Mail>, to: Vec<Recipient>) -> Vec<Delivered> {
        let mut answers = Vec::with_capacity(to.len());
        for recipient in to {
            answers.push(self.0.inbound.send(mail.clone(), recipient).await);
        }
        let mut outcomes = Vec::with_capacity(answers.len());
        for answer in answers {
            let closed = |_| Err(Undelivered::Failed("Gatepost is ending".into()));
            outcomes.push(answer.await.unwrap_or_else(closed));
        }
        outcomes
    }

    async fn read_message(
        &self,
        share: Share,
        envelope: Envelope,
        raw: Vec<u8>,
        authentication: Authentication,
    ) -> std::result::Result<Mail, Undelivered> {
        let Envelope { from, helo, ip, tls } = envelope;
        let (raw, parsed, share) = if raw.len() <= SHORT_MESSAGE {
            let parsed = parse(&raw);
            (raw, parsed, share)
        } else {
            // All of it moves into the thread, which can outlive the request that waits for it.
            let permit = self.0.inbound.reading.take(raw.len()).await;
            let read = blocking(move || {
                let parsed = parse(&raw);
                drop(permit);
                Ok((raw, parsed, share))
            });
            read.await.map_err(|cause| Undelivered::Failed(cause.to_string()))?
        };
        let size = raw.len() + parsed.weight();
        if !share.covers(size) {
            return Err(Undelivered::Crowded);
        }
        let place = self.0.inbound.queued.take(size).await;
        let raw = Arc::new(raw);
        let arrival = Arrival { envelope_from: from, helo, ip, tls, raw, parsed, authentication };
        Ok(Mail { arrival, _share: share, _place: place })
    }
}

/// A message on its way to the store, with what it takes of the memory.
struct Mail {
    arrival: Arrival,
    _share: Share,
    _place: Option<OwnedSemaphorePermit>,
}

/// A message on its way to one recipient.
struct Delivery {
    mail: Arc<Mail>,
    recipient: Recipient,
    reply_to: oneshot::Sender<Delivered>,
}

/// Bytes of messages at one step of their way.
struct Room {
    /// A permit is a kilobyte.
    free: Arc<Semaphore>,
    all: usize,
    /// The least that a message takes.
    least: usize,
}

impl Room {
    /// For messages of so many bytes altogether, and for so many messages.
    fn new(bytes: usize, messages: usize) -> Self {
        let all = bytes >> 10;
        Self { free: Arc::new(Semaphore::new(all)), all, least: (all / messages).max(1) }
    }

    /// A message that is larger than all of it has it to itself.
    async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let permits = (bytes >> 10).clamp(self.least, self.all);
        self.free.clone().acquire_many_owned(u32::try_from(permits).unwrap_or(u32::MAX)).await.ok()
    }
}

/// The thread that keeps messages, and the way to it.
pub(super) struct Inbound {
    settings: Arc<MailSettings>,
    queue: Mutex<Option<Sender<Delivery>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    arrivals: broadcast::Sender<TeamId>,
    /// Long messages that are read at once.
    reading: Room,
    /// Messages that wait for a commit, or are being committed.
    queued: Room,
}

impl Inbound {
    pub fn open(store: Store, config: &Config, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let settings = Arc::new(MailSettings {
            domain: config.mail.domain.clone(),
            quota: config.mail.quota,
            refused: REFUSED,
        });
        let (queue, waiting) = channel(QUEUE);
        let (arrivals, _) = broadcast::channel(QUEUE);
        let actor = Actor::system(clock.now(), entropy);
        let writer = Writer { store, settings: settings.clone(), clock, actor, arrivals: arrivals.clone() };
        let thread = std::thread::Builder::new()
            .name("inbound".into())
            .spawn(move || writer.run(waiting))
            .expect("the system starts a thread");
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            settings,
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            arrivals,
            reading: Room::new(PARSING_BYTES, threads),
            queued: Room::new(QUEUE_BYTES, 4 * QUEUE),
        }
    }

    /// The way to what will have become of a message. It closes without an answer when the
    /// process ends.
    async fn send(&self, mail: Arc<Mail>, recipient: Recipient) -> oneshot::Receiver<Delivered> {
        let (reply_to, answer) = oneshot::channel();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(queue) = queue {
            let _ = queue.send(Delivery { mail, recipient, reply_to }).await;
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
    settings: Arc<MailSettings>,
    clock: Arc<dyn Clock>,
    /// Whoever keeps messages. One for all, so that those of one moment order as they came.
    actor: Actor,
    arrivals: broadcast::Sender<TeamId>,
}

impl Writer {
    fn run(&self, mut queue: Receiver<Delivery>) {
        while let Some(first) = queue.blocking_recv() {
            let batch = collect_batch(first, &mut queue);
            let outcomes = self.commit_batch(&batch);
            for (delivery, outcome) in batch.into_iter().zip(outcomes) {
                if let Ok(Outcome::Stored { .. }) = outcome {
                    let _ = self.arrivals.send(delivery.recipient.team);
                }
                // Nobody waits any more when it took too long.
                let _ = delivery.reply_to.send(outcome);
            }
        }
    }

    fn commit_batch(&self, batch: &[Delivery]) -> Vec<Delivered> {
        match self.commit(batch) {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(cause) if batch.len() == 1 => vec![Err(undelivered(&cause))],
            Err(cause) => {
                tracing::warn!(%cause, messages = batch.len(), "messages are kept one by one");
                self.commit_each(batch)
            }
        }
    }

    fn commit_each(&self, batch: &[Delivery]) -> Vec<Delivered> {
        let mut failures = 0;
        let each = batch.iter().map(|delivery| {
            if failures == MAX_FAILURES {
                return Err(Undelivered::Failed("the store is out of reach".into()));
            }
            let outcome = self.commit(std::slice::from_ref(delivery));
            let out_of_reach = matches!(outcome, Err(Error::Store(store::Error::Unavailable(_))));
            failures = if out_of_reach { failures + 1 } else { 0 };
            outcome.map_err(|cause| undelivered(&cause)).and_then(|mut outcomes| {
                outcomes.pop().ok_or_else(|| Undelivered::Failed("nothing became of it".into()))
            })
        });
        each.collect()
    }

    /// All of the batch, or nothing.
    fn commit(&self, batch: &[Delivery]) -> Result<Vec<Outcome>> {
        let actor = self.actor.at(self.clock.now());
        let write = || {
            self.store.write(|tx| {
                let mut quota = Quota::default();
                let outcomes = batch.iter().map(|it| {
                    receive::receive(tx, &actor, &self.settings, &it.mail.arrival, &it.recipient, &mut quota)
                });
                let outcomes = outcomes.collect::<Result<Vec<_>>>()?;
                quota.close(tx, actor.now)?;
                Ok(outcomes)
            })
        };
        // A fault with one message must not end the thread that keeps them all.
        catch_unwind(AssertUnwindSafe(write))
            .unwrap_or_else(|_| Err(store::Error::Fault("a panic; see above".into()).into()))
    }
}

/// What waits, up to a batch, sorted by team: in one order always, so that writers of several
/// instances never wait for each other.
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

fn undelivered(cause: &Error) -> Undelivered {
    tracing::error!(%cause, "a message could not be kept; its sender is asked to try again");
    Undelivered::Failed(cause.to_string())
}
