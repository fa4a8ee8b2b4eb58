//! Whether any DNS server answers at all.
//!
//! A machine without one would make every message wait for as long as its authentication may
//! take. So a question is asked beside it that nobody but the operator's own servers can leave
//! open: who serves the root. What a sender's domain does not answer changes nothing here.

use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long servers may take for it, and how long what was found out is believed.
pub const PROBE_TIMEOUT: Duration = Duration::from_millis(700);
const PROBE_LIFETIME: Duration = Duration::from_secs(10);

pub struct Reachability {
    resolver: TokioResolver,
    /// Whether one answered, and until when that is believed.
    known: Mutex<Option<(bool, Instant)>>,
}

impl Reachability {
    pub fn of(resolver: TokioResolver) -> Self {
        Self { resolver, known: Mutex::new(None) }
    }

    pub async fn is_answering(&self) -> bool {
        let mut known = self.known.lock().await;
        if let Some((there, until)) = *known
            && Instant::now() < until
        {
            return there;
        }
        let there = self.answers().await;
        if !there {
            tracing::warn!("no DNS server answers; mail is kept without asking who sent it");
        }
        *known = Some((there, Instant::now() + PROBE_LIFETIME));
        there
    }

    /// A refusal is an answer.
    async fn answers(&self) -> bool {
        match timeout(PROBE_TIMEOUT, self.resolver.lookup(Name::root(), RecordType::NS)).await {
            Ok(Ok(_)) | Ok(Err(NetError::Dns(DnsError::NoRecordsFound(_) | DnsError::ResponseCode(_)))) => {
                true
            }
            Ok(Err(_)) | Err(_) => false,
        }
    }
}
