//! Checks whether any DNS server responds.
//!
//! Without one, every message would wait until its authentication times out. So a probe looks up the root servers, which
//! the operator's own DNS servers must answer regardless of the senders' domains.

use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long a probe may take, and how long its result is used.
pub const PROBE_TIMEOUT: Duration = Duration::from_millis(700);
const PROBE_LIFETIME: Duration = Duration::from_secs(10);

pub struct Reachability {
    resolver: TokioResolver,
    /// The last result, and when it expires.
    known: Mutex<Option<(bool, Instant)>>,
}

impl Reachability {
    pub fn new(resolver: TokioResolver) -> Self {
        Self { resolver, known: Mutex::new(None) }
    }

    pub async fn is_answering(&self) -> bool {
        let mut known = self.known.lock().await;
        if let Some((reachable, until)) = *known
            && Instant::now() < until
        {
            return reachable;
        }
        let reachable = self.responds().await;
        if !reachable {
            tracing::warn!("no DNS server responds; mail is stored without verifying its senders");
        }
        *known = Some((reachable, Instant::now() + PROBE_LIFETIME));
        reachable
    }

    /// A refusal also counts as an answer.
    async fn responds(&self) -> bool {
        match timeout(PROBE_TIMEOUT, self.resolver.lookup(Name::root(), RecordType::NS)).await {
            Ok(Ok(_)) | Ok(Err(NetError::Dns(DnsError::NoRecordsFound(_) | DnsError::ResponseCode(_)))) => {
                true
            }
            Ok(Err(_)) | Err(_) => false,
        }
    }
}
