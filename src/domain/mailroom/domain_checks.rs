use serde::{Deserialize, Serialize};
use time::Duration;

use super::mail_domains::{self, DomainId};
use crate::domain::Result;
use crate::domain::actor::Actor;
use crate::domain::jobs::{self, Every, Job, LOOKUPS, Queue, QueuedJob};
use crate::store::Tx;
use crate::store::ids::TeamId;

const BATCH: i64 = 50;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CheckDueDomains;

impl Job for CheckDueDomains {
    const KIND: &'static str = "domains.check_due";
    const LABEL: &'static str = "Find domains to check";
    /// Jobs in the maintenance queue may take hours.
    const QUEUE: Queue = LOOKUPS;
    const EVERY: Option<Every> = Some(Every {
        every: Duration::MINUTE,
        past: None,
        jitter: Duration::seconds(5),
        first: Duration::seconds(30),
    });
}

/// The domain that a job checks, if it checks one.
pub(crate) fn domain_of(job: &QueuedJob) -> Option<DomainId> {
    let is_check = job.kind == CheckDomain::KIND;
    is_check.then(|| serde_json::from_str::<CheckDomain>(&job.payload).ok())?.map(|check| check.domain)
}

#[derive(Debug, Serialize, Deserialize)]
pub struct CheckDomain {
    pub team: TeamId,
    pub domain: DomainId,
}

impl Job for CheckDomain {
    const KIND: &'static str = "domains.check";
    const LABEL: &'static str = "Check a domain's DNS records";
    const QUEUE: Queue = LOOKUPS;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.domain.to_string())
    }

    fn team(&self) -> Option<TeamId> {
        Some(self.team)
    }
}

/// Enqueues checks of the domains that were checked longest ago.
pub fn enqueue_due(tx: &mut Tx<'_>, actor: &Actor) -> Result<()> {
    for domain in mail_domains::due(tx, actor.now, BATCH)? {
        jobs::enqueue_unless_dead(tx, actor, &CheckDomain { team: domain.team_id, domain: domain.id })?;
    }
    Ok(())
}
