//! The resources shared by the web server, the mail server and the command line: the store, the gate, the clock, the
//! random source and the settings.

pub(crate) mod backup;
mod deleted_teams;
pub mod descriptors;
pub(crate) mod domains;
pub(crate) mod downloads;
pub mod hourly_counts;
pub(crate) mod idempotency;
pub mod inbound;
pub(crate) mod intake;
pub mod jobs;
pub(crate) mod limits;
mod maintenance;
mod name_keys;
mod recipient_cache;
pub mod retention;
mod search_index;
mod senders;
mod storage;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use limits::in_use::InUse;
use recipient_cache::RecipientCache;
use senders::Senders;
use storage::Storage;

use crate::blocking::blocking;
use crate::config::{Config, RedisUrl};
use crate::dns::Dns;
use crate::domain::access::epochs;
use crate::domain::access::team_key::Sealer;
use crate::domain::actor::Actor;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::people::passwords::{self, Hashed, Password};
use crate::domain::{Error, Result, Timestamp};
use crate::gate::{self, Gate};
use crate::store::Store;

pub(crate) use crate::store::Tx;
pub(crate) use storage::{StartError, check_settings, serve_alone};

/// A handle that is cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    config: Config,
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    sealer: Sealer,
    gate: Arc<Gate>,
    inbound: inbound::Inbound,
    downloads: downloads::Downloads,
    responses: InUse<IpAddr>,
    recipients: RecipientCache,
    senders: Senders,
    smtp: OnceLock<SocketAddr>,
    in_progress: idempotency::InProgress,
    dns: Dns,
    jobs: jobs::Jobs,
    hashing: Semaphore,
    decoy: Hashed,
}

impl App {
    /// Opens the store, brings its schema up to date, and reads the secret key.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn open(
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> std::result::Result<Self, StartError> {
        Self::open_as(config, clock, entropy, true)
    }

    /// Like [`Self::open`], for a command that may run while a server is running.
    ///
    /// # Errors
    /// See [`StartError`].
    pub(crate) fn open_for_command(
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> std::result::Result<Self, StartError> {
        Self::open_as(config, clock, entropy, false)
    }

    fn open_as(
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        serves: bool,
    ) -> std::result::Result<Self, StartError> {
        let Storage { store, key } = storage::open(&config, &*entropy)?;
        let jobs = jobs::Jobs::default();
        store.on_enqueued(jobs.hook());
        let settings = gate::Settings {
            limits: config.plan_limits,
            redis: config.redis.as_ref().map(RedisUrl::client),
            activity: config.activity,
            serves,
        };
        let gate = Gate::open(store.clone(), settings, clock.clone(), &*entropy)?;
        let inbound = inbound::Inbound::open(store.clone(), &config, clock.clone(), entropy.clone());
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self(Arc::new(Shared {
            sealer: Sealer { key, prefix: config.token_prefix.clone() },
            gate: Arc::new(gate),
            inbound,
            downloads: downloads::Downloads::default(),
            responses: InUse::default(),
            recipients: RecipientCache::default(),
            senders: Senders::default(),
            smtp: OnceLock::new(),
            in_progress: idempotency::InProgress::default(),
            dns: Dns::open(config.mail.dns),
            jobs,
            hashing: Semaphore::new((threads / 2).max(1)),
            decoy: passwords::decoy(&*entropy),
            config,
            store,
            clock,
            entropy,
        })))
    }

    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Stores the address that SMTP listens on: if the setting has port 0, the system chooses the port.
    pub(crate) fn set_smtp_address(&self, at: SocketAddr) {
        self.0.smtp.set(at).unwrap_or_default();
    }

    pub(crate) fn smtp_address(&self) -> Option<SocketAddr> {
        self.0.smtp.get().copied().or(self.config().mail.smtp_listen)
    }

    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub fn entropy(&self) -> Arc<dyn Entropy> {
        self.0.entropy.clone()
    }

    pub(crate) fn entropy_ref(&self) -> &dyn Entropy {
        &*self.0.entropy
    }

    pub fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    pub fn gate(&self) -> &Arc<Gate> {
        &self.0.gate
    }

    pub fn operator(&self) -> Actor {
        Actor::operator(self.now(), self.entropy())
    }

    /// The actor for changes caused by incoming mail or jobs.
    pub fn system(&self) -> Actor {
        Actor::system(self.now(), self.entropy())
    }

    pub fn visitor(&self) -> Actor {
        Actor::visitor(self.now(), self.entropy())
    }

    /// Runs `f` on a snapshot of the store, on a blocking thread.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = self.0.store.clone();
        let span = tracing::debug_span!("read");
        blocking(move || span.in_scope(|| store.read(f))).await
    }

    /// Like [`Self::read`], for pages that show calls: first waits until the activity table has every call answered so
    /// far.
    pub(crate) async fn read_activity<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.gate().flush().await;
        self.read(f).await
    }

    /// Runs `f` in a write transaction on a blocking thread. After `Ok`, the changes are on disk and no
    /// process uses a token cached before them.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let app = self.clone();
        let span = tracing::debug_span!("write");
        blocking(move || span.in_scope(|| app.write_now(f))).await
    }

    /// Like [`Self::write`], for jobs that don't change access: the caches stay valid.
    async fn maintain<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = self.0.store.clone();
        let span = tracing::debug_span!("write");
        blocking(move || span.in_scope(|| store.write(f))).await
    }

    async fn shorten_log(&self) -> Result<()> {
        let store = self.0.store.clone();
        blocking(move || Ok(store.tidy()?)).await
    }

    /// Like [`Self::read`], for the command line, which has no async runtime.
    pub fn read_now<T>(&self, f: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.0.store.read(f)
    }

    /// Like [`Self::write`], for the command line, which has no async runtime.
    pub fn write_now<T>(&self, f: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let (value, epoch) = self.0.store.write(|tx| Ok::<_, Error>((f(tx)?, epochs::current(tx)?)))?;
        self.0.recipients.clear();
        self.0.gate.confirm(epoch);
        Ok(value)
    }

    /// Writes queued calls and messages. Must be called before the process ends.
    pub fn close(&self) {
        self.0.inbound.close();
        self.0.gate.close();
    }

    pub(crate) async fn hash_password(&self, password: Password) -> Result<Hashed> {
        let _permit = self.hashing_permit().await?;
        let entropy = self.entropy();
        blocking(move || Ok(passwords::hash(&password, &*entropy))).await
    }

    /// Checks a password against the hash `phc`. Without a hash it takes as long and returns false, so that callers
    /// can't tell which accounts exist. At most half the cores hash at once, so that sign-ins don't starve the API.
    pub(crate) async fn verify_password(&self, password: Password, phc: Option<String>) -> Result<bool> {
        let _permit = self.hashing_permit().await?;
        let decoy = self.0.decoy.clone();
        blocking(move || {
            let matches = passwords::verify(&password, phc.as_deref().unwrap_or(decoy.as_str()));
            Ok(matches && phc.is_some())
        })
        .await
    }

    async fn hashing_permit(&self) -> Result<SemaphorePermit<'_>> {
        match timeout(Duration::from_secs(2), self.0.hashing.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Error::out_of_reach("too many passwords to check at once")),
        }
    }
}
