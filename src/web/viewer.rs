//! A person who is signed in, looking at one of their teams.

use actix_session::SessionExt;
use actix_web::{HttpRequest, web};

use super::flash::Flash;
use super::request::{self, RequestInfo};
use super::session::{self, Presented};
use crate::app::App;
use crate::domain;
use crate::domain::actor::{Actor, Identity};
use crate::domain::mailroom::messages;
use crate::domain::people::members;
use crate::domain::people::roles::Role;
use crate::domain::people::sessions::{self, Session};
use crate::domain::people::teams::{self, Team};
use crate::domain::people::users::{self, User};

/// Somebody signed in, looking at one of their teams.
#[derive(Clone)]
pub struct Viewer {
    pub user: User,
    pub session: Session,
    pub team: Team,
    pub role: Role,
    /// All the teams they are in.
    pub teams: Vec<Team>,
    /// Messages of the team nobody has read; see [`messages::UNREAD_SHOWN`].
    pub unread: i64,
    /// What a change before this request has to say.
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

/// Why there is no viewer.
pub enum Nobody {
    NotSignedIn,
    /// Signed in, but in no team any more.
    NoTeam,
    Failed(domain::Error),
}

/// The viewer of a request, if there is one.
pub async fn find(request: &HttpRequest) -> Result<Viewer, Nobody> {
    let info = request::of(request);
    let app = request.app_data::<web::Data<App>>().expect("the app is registered").clone();
    let key = match session::presented(&request.get_session()) {
        Presented::Key(key) => key,
        Presented::Nothing => return Err(Nobody::NotSignedIn),
        Presented::Unknown => {
            return Err(Nobody::Failed(crate::domain::Error::out_of_reach("the session could not be read")));
        }
    };
    let now = info.now;
    let found = app.read(move |tx| {
        let Some(session) = sessions::find(tx, &key, now)? else { return Ok(Err(Nobody::NotSignedIn)) };
        let user = users::find(tx, session.user_id)?;
        let teams = teams::of_user(tx, user.id)?;
        let looked_at = teams.iter().find(|team| Some(team.id) == session.team_id).or(teams.first());
        let Some(team) = looked_at.cloned() else { return Ok(Err(Nobody::NoTeam)) };
        let member = members::find(tx, team.id, user.id)?.ok_or(domain::Error::NotFound)?;
        let unread = messages::unread_shown(tx, team.id)?;
        Ok(Ok((user, session, team, member.role(), teams, unread)))
    });
    let (user, session, team, role, teams, unread) = found.await.map_err(Nobody::Failed)??;
    Ok(Viewer { user, session, team, role, teams, unread, flash: Flash::of(request), request: info })
}
