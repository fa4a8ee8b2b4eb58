//! Domains and what the DNS says of them: when somebody presses Check, and by itself.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::App;
use super::background::Background;
use crate::domain::actor::Actor;
use crate::domain::entropy;
use crate::domain::mailroom::mail_domains::{self, Domain, DomainId};
use crate::domain::people::teams::TeamId;
use crate::domain::{Error, Result};

/// How often it is looked for domains that are due, and how many are asked about then.
const ROUND: Duration = Duration::from_secs(60);
const MOST: i64 = 50;

impl App {
    /// Asks the DNS about a domain, and writes down what it said.
    ///
    /// # Errors
    /// `NotFound` when it is none of the team's.
    pub async fn check_domain(&self, actor: Actor, team: TeamId, id: DomainId) -> Result<Domain> {
        let domain = self.read(move |tx| mail_domains::find(tx, team, id)).await?;
        let seen = self.dns().observe(&domain).await;
        let host = self.mail_host();
        self.write(move |tx| mail_domains::record_check(tx, &actor, team, id, &host, &seen)).await
    }

    /// Asks about every domain that is due, one after the other; how many those were.
    ///
    /// # Errors
    /// When the store is out of reach.
    pub async fn check_due_domains(&self) -> Result<usize> {
        let now = self.now();
        let due = self.read(move |tx| mail_domains::due(tx, now, MOST)).await?;
        let mut checked = 0;
        for Domain { id, team_id, .. } in due {
            // Another instance may have been here meanwhile, or somebody has removed it.
            let is_due = self.read(move |tx| mail_domains::is_due(tx, now, team_id, id)).await?;
            if !is_due {
                continue;
            }
            match self.check_domain(self.system(), team_id, id).await {
                Ok(_) => checked += 1,
                Err(Error::NotFound) => {}
                Err(cause) => return Err(cause),
            }
        }
        Ok(checked)
    }
}

/// Starts the thread that looks after domains.
pub fn start(app: App) -> Background {
    let (stop, stopped) = oneshot::channel::<()>();
    Background::start("domains", stop, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime of its own").block_on(look_after(&app, stopped));
    })
}

async fn look_after(app: &App, mut stopped: oneshot::Receiver<()>) {
    while timeout(pause(app), &mut stopped).await.is_err() {
        let checked = tokio::select! {
            checked = app.check_due_domains() => checked,
            _ = &mut stopped => return,
        };
        if let Err(cause) = checked {
            tracing::warn!(%cause, "domains could not be looked after; that is tried again");
        }
    }
}

/// Each time another one, so that instances of one store do not keep step.
fn pause(app: &App) -> Duration {
    let [chance] = entropy::bytes::<1>(&*app.entropy());
    ROUND / 2 + ROUND * u32::from(chance) / 256
}
