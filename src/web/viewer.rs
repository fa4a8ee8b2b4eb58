//! A signed-in person with their current team.

use actix_session::SessionExt;
use actix_web::{HttpRequest, web};

use super::flash::Flash;
use super::request::{self, RequestInfo};
use super::session;
use crate::app::{App, Tx};
use crate::domain;
use crate::domain::actor::{Actor, Identity};
use crate::domain::people::deleted_teams::{self, Deletion};
use crate::domain::people::roles::Role;
use crate::domain::people::sessions::{self, Current, Owner, Session, SignedIn};
use crate::domain::people::teams::Team;
use crate::domain::people::users::User;

#[derive(Clone)]
pub struct Viewer {
    pub user: User,
    pub session: Session,
    pub team: Team,
    pub role: Role,
    pub owner: Owner,
    pub teams: Vec<Team>,
    /// The team's unread messages; see [`Current::unread`].
    pub unread: i64,
    /// The notice of the previous change.
    pub flash: Flash,
    pub request: RequestInfo,
}

impl Viewer {
    pub fn actor(&self) -> Actor {
        self.request.actor(Identity::Person { id: self.user.id, label: self.user.email.clone() })
    }

    /// Whether the password was entered within the last 10 minutes.
    pub fn is_fresh(&self) -> bool {
        self.session.is_fresh(self.request.now)
    }
}

pub enum NoViewer {
    NotSignedIn,
    /// Signed in, but no longer in any team.
    NoTeam(WithoutTeam),
    Failed(domain::Error),
}

#[derive(Clone, Debug)]
pub struct WithoutTeam {
    pub email: String,
    /// Of the team that the session showed last, if it is deleted.
    pub deletion: Option<Deletion>,
}

fn without_team(tx: &mut Tx<'_>, signed_in: SignedIn) -> domain::Result<WithoutTeam> {
    let deletion = match signed_in.session.team_id {
        Some(team) => deleted_teams::find(tx, team)?,
        None => None,
    };
    Ok(WithoutTeam { email: signed_in.user.email, deletion })
}

pub async fn find(request: &HttpRequest) -> Result<Viewer, NoViewer> {
    let info = request::of(request);
    let app = request.app_data::<web::Data<App>>().expect("the app is registered").clone();
    let key = session::key(&request.get_session()).ok_or(NoViewer::NotSignedIn)?;
    let now = info.now;
    let found = app.read(move |tx| {
        let Some(signed_in) = sessions::resume(tx, &key, now)? else { return Ok(Err(NoViewer::NotSignedIn)) };
        match signed_in.current.clone() {
            Some(current) => Ok(Ok((signed_in, current))),
            None => Ok(Err(NoViewer::NoTeam(without_team(tx, signed_in)?))),
        }
    });
    let (SignedIn { session, user, teams, .. }, current) = found.await.map_err(NoViewer::Failed)??;
    let Current { team, role, owner, unread } = current;
    if sessions::needs_touch(&session, now) {
        let (person, id) = (user.id, session.id);
        app.write(move |tx| sessions::touch(tx, person, id, now)).await.map_err(NoViewer::Failed)?;
    }
    Ok(Viewer { user, session, team, role, owner, teams, unread, flash: Flash::of(request), request: info })
}
