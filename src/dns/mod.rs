//! Looks up the records of teams' domains and authenticates senders. The only folder that names `hickory`
//! and `mail_auth`.
//!
//! A failed lookup never rejects mail: it is a result like any other.

mod authenticate;
mod lookup;
mod policy_records;
mod reachable;

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::system_conf::read_system_conf;
use mail_auth::MessageAuthenticator;

pub use authenticate::Sender;
use reachable::Reachability;

/// The timeout of a query to one server, and the number of attempts.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;
/// The maximum concurrent queries to one server. The resolver refuses further ones.
const MAX_QUERIES: usize = 512;

/// `None` without valid settings: then every lookup fails.
pub struct Dns(Option<Resolvers>);

struct Resolvers {
    /// Caches answers for their TTL.
    authenticator: MessageAuthenticator,
    /// Without a cache, because people who have just changed a record want to see the change.
    fresh: TokioResolver,
    reachable: Reachability,
}

impl Dns {
    /// Uses `server`, or else the system's servers.
    pub fn open(server: Option<SocketAddr>) -> Self {
        let resolvers = settings(server).and_then(|(config, options)| Resolvers::new(config, options));
        Self(resolvers.inspect_err(|cause| tracing::warn!(%cause, "DNS is unavailable")).ok())
    }
}

impl Resolvers {
    fn new(config: ResolverConfig, mut options: ResolverOpts) -> Result<Self, NetError> {
        options.timeout = QUERY_TIMEOUT;
        options.attempts = ATTEMPTS;
        options.max_active_requests = MAX_QUERIES;
        let build = |options: ResolverOpts| {
            let builder = TokioResolver::builder_with_config(config.clone(), TokioRuntimeProvider::default());
            builder.with_options(options).build()
        };
        let mut uncached = options.clone();
        uncached.cache_size = 0;
        let mut quick = uncached.clone();
        quick.timeout = reachable::PROBE_TIMEOUT / 2;
        Ok(Self {
            authenticator: MessageAuthenticator(build(options)?),
            fresh: build(uncached)?,
            reachable: Reachability::new(build(quick)?),
        })
    }
}

fn settings(server: Option<SocketAddr>) -> Result<(ResolverConfig, ResolverOpts), NetError> {
    match server {
        Some(server) => Ok((only(server), ResolverOpts::default())),
        None => read_system_conf(),
    }
}

fn only(server: SocketAddr) -> ResolverConfig {
    let mut config = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut config.connections {
        connection.port = server.port();
    }
    ResolverConfig::from_parts(None, Vec::new(), vec![config])
}
