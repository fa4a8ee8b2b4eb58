//! Deletes teams, and removes their rows as a job.

use super::App;
use super::jobs::{Outcome, Running};
use super::retention::in_steps;
use crate::domain::Result;
use crate::domain::actor::Actor;
use crate::domain::people::deleted_teams::{self, Deletion, PurgeTeam};
use crate::domain::people::teams::TeamId;

impl App {
    /// After `Ok`, no one has access to the team.
    pub(crate) async fn delete_team(&self, actor: Actor, team: TeamId) -> Result<Deletion> {
        let by = actor.label().into_owned();
        let deletion = self.write(move |tx| deleted_teams::delete(tx, &actor, team)).await?;
        tracing::info!(%team, name = deletion.name, by, "a team was deleted");
        Ok(deletion)
    }
}

pub(super) async fn purge(app: App, job: PurgeTeam, running: Running) -> Outcome {
    app.gate().flush().await;
    let team = job.team;
    let removed = in_steps(&app, &running, team, |tx, team| deleted_teams::purge_some(tx, *team)).await?;
    app.0.recipients.clear();
    tracing::info!(%team, removed, "the rows of a deleted team were removed");
    let actor = app.system();
    Ok(app.maintain(move |tx| job.enqueue_next(tx, &actor, removed)).await?)
}
