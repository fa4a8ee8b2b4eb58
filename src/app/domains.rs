//! Checks the DNS records of domains, on request and as a job.

use super::App;
use super::jobs::{Outcome, Running};
use crate::domain::actor::Actor;
use crate::domain::mailroom::domain_checks::{CheckDomain, CheckDueDomains, enqueue_due as enqueue};
use crate::domain::mailroom::mail_domains::{self, Domain, DomainId};
use crate::domain::people::teams::TeamId;
use crate::domain::{Error, Result};

impl App {
    /// Looks up a domain's DNS records and stores the result.
    ///
    /// # Errors
    /// `NotFound` if the team has no such domain.
    pub async fn check_domain(&self, actor: Actor, team: TeamId, id: DomainId) -> Result<Domain> {
        let domain = self.read(move |tx| mail_domains::find(tx, team, id)).await?;
        let seen = self.dns().observe(&domain).await;
        let host = self.mail_host();
        self.write(move |tx| mail_domains::record_check(tx, &actor, team, id, &host, &seen)).await
    }
}

pub(super) async fn enqueue_due(app: App, _: CheckDueDomains, _: Running) -> Outcome {
    let actor = app.system();
    Ok(app.maintain(move |tx| enqueue(tx, &actor)).await?)
}

pub(super) async fn check_one(app: App, job: CheckDomain, _: Running) -> Outcome {
    let (now, CheckDomain { team, domain }) = (app.now(), job);
    // Someone may have checked or removed the domain since the job was enqueued.
    if !app.read(move |tx| mail_domains::is_due(tx, now, team, domain)).await? {
        return Ok(());
    }
    match app.check_domain(app.system(), team, domain).await {
        Ok(_) | Err(Error::NotFound) => Ok(()),
        Err(cause) => Err(cause.into()),
    }
}
