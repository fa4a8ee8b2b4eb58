//! The signed-in person who asks for a page. A handler that takes a [`Member`], [`Admin`] or [`Owner`] cannot be
//! reached by anybody else, and one that changes something only from a page of the same team.
//! That page's forms name their team: see `to` in `templates/macros/forms.html`.

use std::ops::Deref;

use actix_session::SessionExt;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;

use super::flash::Flash;
use super::pages::error::PageError;
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
    /// Messages of the team nobody has read; see [`messages::UNREAD_TOLD`].
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
        let unread = messages::unread_told(tx, team.id)?;
        Ok(Ok((user, session, team, member.role(), teams, unread)))
    });
    let (user, session, team, role, teams, unread) = found.await.map_err(Nobody::Failed)??;
    Ok(Viewer { user, session, team, role, teams, unread, flash: Flash::of(request), request: info })
}

async fn signed_in(request: &HttpRequest) -> Result<Viewer, PageError> {
    match find(request).await {
        Ok(viewer) => Ok(viewer),
        Err(Nobody::NotSignedIn) => Err(PageError::sign_in(&next(request))),
        Err(Nobody::NoTeam) => Err(PageError::no_team()),
        Err(Nobody::Failed(error)) => Err(error.into()),
    }
}

async fn require(request: &HttpRequest, role: Role) -> Result<Viewer, PageError> {
    let viewer = signed_in(request).await?;
    if !request.method().is_safe() && !is_for(request, &viewer.team) {
        return Err(PageError::another_team());
    }
    if viewer.role < role {
        return Err(PageError::role_needed(role));
    }
    Ok(viewer)
}

/// Whether the page that sent this form was this team's. It was not when its reader has
/// switched teams since, in another window, or was removed from that team.
fn is_for(request: &HttpRequest, team: &Team) -> bool {
    #[derive(serde::Deserialize)]
    struct OfTeam {
        team: String,
    }
    let named = web::Query::<OfTeam>::from_query(request.query_string());
    named.is_ok_and(|named| named.team == team.id.to_string())
}

/// Where to go after signing in: back to what was asked for, if it was a page.
fn next(request: &HttpRequest) -> String {
    match *request.method() {
        Method::GET | Method::HEAD => {
            request.uri().path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

macro_rules! viewer_with_role {
    ($(#[$doc:meta])* $name:ident, $request:ident => $viewer:expr) => {
        $(#[$doc])*
        pub struct $name(pub Viewer);

        impl Deref for $name {
            type Target = Viewer;

            fn deref(&self) -> &Viewer {
                &self.0
            }
        }

        impl FromRequest for $name {
            type Error = PageError;
            type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let $request = request.clone();
                Box::pin(async move { $viewer.await.map(Self) })
            }
        }
    };
}

viewer_with_role!(
    /// Somebody signed in, whichever team's page they come from. What is done for a team takes
    /// one of the others.
    SignedIn, request => signed_in(&request)
);
viewer_with_role!(
    /// Anybody in the team.
    Member, request => require(&request, Role::Member)
);
viewer_with_role!(
    /// The owner or an admin.
    Admin, request => require(&request, Role::Admin)
);
viewer_with_role!(
    /// The owner.
    Owner, request => require(&request, Role::Owner)
);
