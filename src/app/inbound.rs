//! Queues incoming messages and stores them in batches.
//!
//! SMTP and LMTP call [`App::route_recipient`] for each address and pass the message to [`App::deliver`]. One thread
//! writes messages in batches: while one batch is being committed, the next one fills, so that messages share the cost
//! of a commit. The sender gets its reply when the batch is on disk. If a message can't be stored, its batch is rolled
//! back and each message is retried alone.

mod writer;

use std::net::IpAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, broadcast, oneshot};
use tokio::time::timeout;

use super::App;
use super::limits::budget::ByteBudget;
use super::limits::memory::MessageMemory;
use crate::blocking::blocking;
use crate::config::Config;
use crate::domain::Result;
use crate::domain::actor::Actor;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::mailroom::arrival::Arrival;
use crate::domain::mailroom::authentication::Authentication;
use crate::domain::mailroom::messages::MessageId;
use crate::domain::mailroom::parse::parse;
use crate::domain::mailroom::receive::{self, Outcome};
use crate::domain::mailroom::route::{self, MailSettings, REFUSED_BYTES, Recipient, Unroutable};
use crate::domain::people::teams::TeamId;
use crate::store::Store;
use writer::Writer;

/// The maximum messages and bytes in the queue. Further messages wait to be queued.
const QUEUE: usize = 512;
const QUEUE_BYTES: usize = 64 << 20;
/// A message stored after this timeout is recognized as a duplicate when its sender retries.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);
/// Limits long messages being parsed, because the parser takes several times their size.
const PARSING_BYTES: usize = 32 << 20;
/// Longer messages are parsed on a blocking thread.
const SHORT_MESSAGE: usize = 16 << 10;

/// The sender of a message, from the SMTP envelope.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    pub from: Option<String>,
    pub helo: String,
    pub ip: Option<IpAddr>,
    pub tls: bool,
}

/// The message is not stored; its sender should try again later.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Undelivered {
    /// The cause, for the log.
    #[error("the message could not be stored: {0}")]
    Failed(String),
    #[error("too much mail is being received")]
    OutOfMemory,
    #[error("the sender could not be verified, and its domain asks to refuse forgeries")]
    Unverified,
}

pub type Delivered = std::result::Result<Outcome, Undelivered>;

impl App {
    pub fn mail_settings(&self) -> &Arc<MailSettings> {
        &self.0.inbound.settings
    }

    /// Sends the team of each message that this process stores.
    pub fn arrivals(&self) -> broadcast::Receiver<TeamId> {
        self.0.inbound.arrivals.subscribe()
    }

    /// Looks up the alias of an address.
    ///
    /// # Errors
    /// If the store is unreachable. The sender should try again.
    pub async fn route_recipient(&self, address: &str) -> Result<std::result::Result<Recipient, Unroutable>> {
        if let Some(recipient) = self.0.recipients.get(address) {
            return Ok(Ok(recipient));
        }
        let generation = self.0.recipients.generation();
        let (settings, to) = (self.mail_settings().clone(), address.to_owned());
        let (routed, lacks_postmaster) = self
            .read(move |tx| {
                let routed = route::route(tx, &settings, &to)?;
                let unknown = routed == Err(Unroutable::Unknown);
                Ok((routed, unknown && route::lacks_postmaster(tx, &settings, &to)?))
            })
            .await?;
        if let Ok(recipient) = &routed {
            self.0.recipients.insert(generation, recipient);
        }
        if !lacks_postmaster {
            return Ok(routed);
        }
        let (settings, to, actor) = (self.mail_settings().clone(), address.to_owned(), self.system());
        self.write(move |tx| {
            route::create_postmaster(tx, &actor, &settings, &to)?;
            route::route(tx, &settings, &to)
        })
        .await
    }

    /// Stores a message for each recipient and returns the outcomes in the same order. An `Ok` is on disk.
    pub async fn deliver(
        &self,
        envelope: Envelope,
        raw: Vec<u8>,
        authentication: Authentication,
        to: Vec<Recipient>,
    ) -> Vec<Delivered> {
        self.deliver_within(MessageMemory::default(), envelope, raw, authentication, to).await
    }

    pub(super) async fn deliver_within(
        &self,
        memory: MessageMemory,
        envelope: Envelope,
        raw: Vec<u8>,
        authentication: Authentication,
        to: Vec<Recipient>,
    ) -> Vec<Delivered> {
        let count = to.len();
        let delivered = async {
            let mail = self.parse_message(memory, envelope, raw, authentication).await?;
            Ok(self.enqueue(Arc::new(mail), to).await)
        };
        match timeout(DELIVERY_TIMEOUT, delivered).await {
            Ok(Ok(outcomes)) => outcomes,
            Ok(Err(why)) => vec![Err(why); count],
            Err(_) => vec![Err(Undelivered::Failed("delivery took too long".into())); count],
        }
    }

    /// See [`receive::acknowledge`]. If it fails, a repeated message may be mistaken for a retry.
    pub async fn acknowledge(&self, messages: Vec<(TeamId, MessageId)>) {
        if messages.is_empty() {
            return;
        }
        if let Err(cause) = self.write(move |tx| receive::acknowledge(tx, &messages)).await {
            tracing::warn!(%cause, "could not mark stored messages as acknowledged");
        }
    }

    async fn enqueue(&self, mail: Arc<Mail>, to: Vec<Recipient>) -> Vec<Delivered> {
        let mut pending = Vec::with_capacity(to.len());
        for recipient in to {
            pending.push(self.0.inbound.send(mail.clone(), recipient).await);
        }
        let mut outcomes = Vec::with_capacity(pending.len());
        for outcome in pending {
            let closed = |_| Err(Undelivered::Failed("Gatepost is stopping".into()));
            outcomes.push(outcome.await.unwrap_or_else(closed));
        }
        outcomes
    }

    async fn parse_message(
        &self,
        memory: MessageMemory,
        envelope: Envelope,
        raw: Vec<u8>,
        authentication: Authentication,
    ) -> std::result::Result<Mail, Undelivered> {
        let Envelope { from, helo, ip, tls } = envelope;
        let (raw, parsed, memory) = if raw.len() <= SHORT_MESSAGE {
            let parsed = parse(&raw);
            (raw, parsed, memory)
        } else {
            // The thread owns its data, because it may outlive the caller.
            let permit = self.0.inbound.parsing.acquire(raw.len()).await;
            let parsing = blocking(move || {
                let parsed = parse(&raw);
                drop(permit);
                Ok((raw, parsed, memory))
            });
            parsing.await.map_err(|cause| Undelivered::Failed(cause.to_string()))?
        };
        let size = raw.len() + parsed.weight();
        if !memory.try_resize(size) {
            return Err(Undelivered::OutOfMemory);
        }
        let permit = self.0.inbound.queued.acquire(size).await;
        let raw = Arc::new(raw);
        let arrival = Arrival { envelope_from: from, helo, ip, tls, raw, parsed, authentication };
        Ok(Mail { arrival, _memory: memory, _permit: permit })
    }
}

struct Mail {
    arrival: Arrival,
    _memory: MessageMemory,
    _permit: Option<OwnedSemaphorePermit>,
}

struct Delivery {
    mail: Arc<Mail>,
    recipient: Recipient,
    reply_to: oneshot::Sender<Delivered>,
}

pub(super) struct Inbound {
    settings: Arc<MailSettings>,
    queue: Mutex<Option<Sender<Delivery>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    arrivals: broadcast::Sender<TeamId>,
    parsing: ByteBudget,
    queued: ByteBudget,
}

impl Inbound {
    pub fn open(store: Store, config: &Config, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let settings = Arc::new(MailSettings {
            domain: config.mail.domain.clone(),
            quota: config.mail.quota,
            refused_bytes: REFUSED_BYTES,
        });
        let (queue, waiting) = channel(QUEUE);
        let (arrivals, _) = broadcast::channel(QUEUE);
        let actor = Actor::system(clock.now(), entropy);
        let writer = Writer { store, settings: settings.clone(), clock, actor, arrivals: arrivals.clone() };
        let thread = std::thread::Builder::new()
            .name("inbound".into())
            .spawn(move || writer.run(waiting))
            .expect("threads can be started");
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            settings,
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            arrivals,
            parsing: ByteBudget::new(PARSING_BYTES, threads),
            queued: ByteBudget::new(QUEUE_BYTES, 4 * QUEUE),
        }
    }

    /// Returns the receiver of the outcome. It closes without an outcome when the process ends.
    async fn send(&self, mail: Arc<Mail>, recipient: Recipient) -> oneshot::Receiver<Delivered> {
        let (reply_to, outcome) = oneshot::channel();
        let queue = self.queue.lock().clone();
        if let Some(queue) = queue {
            let _ = queue.send(Delivery { mail, recipient, reply_to }).await;
        }
        outcome
    }

    /// Writes the queued messages and accepts no more.
    pub fn close(&self) {
        drop(self.queue.lock().take());
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}
