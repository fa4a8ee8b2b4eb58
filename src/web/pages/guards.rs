//! Permissions to open pages. A handler that takes a [`Member`], [`Admin`] or [`Owner`] runs only for them. A
//! handler that changes something also requires that the form was sent from a page of the same team: forms
//! contain the id of their team, see `to` in `templates/macros/forms.html`.

use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;

use super::error::PageError;
use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::people::roles::Role;
use crate::domain::people::teams::{Team, TeamId};
use crate::domain::{Result, Tx};
use crate::web::viewer::{self, NoViewer, Viewer};

impl Viewer {
    pub fn app(&self) -> &App {
        self.request.app()
    }

    /// Runs a read transaction for the current team.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Tx<'_>, TeamId) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let team = self.team.id;
        self.app().read(move |tx| read(tx, team)).await
    }

    /// Runs a write transaction with this person as the actor.
    pub async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut Tx<'_>, &Actor, TeamId) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (team, actor) = (self.team.id, self.actor());
        self.app().write(move |tx| write(tx, &actor, team)).await
    }
}

async fn signed_in(request: &HttpRequest) -> std::result::Result<Viewer, PageError> {
    match viewer::find(request).await {
        Ok(viewer) => Ok(viewer),
        Err(NoViewer::NotSignedIn) => Err(PageError::sign_in(&next(request))),
        Err(NoViewer::NoTeam(person)) => Err(PageError::no_team(person)),
        Err(NoViewer::Failed(error)) => Err(error.into()),
    }
}

async fn require(request: &HttpRequest, role: Role) -> std::result::Result<Viewer, PageError> {
    let viewer = signed_in(request).await?;
    if !request.method().is_safe() && !is_for(request, &viewer.team) {
        return Err(PageError::another_team());
    }
    if viewer.role < role {
        return Err(PageError::role_needed(role));
    }
    Ok(viewer)
}

/// Whether the form was sent from a page of this team. False if the person has switched teams in another window
/// since then, or was removed from the team.
fn is_for(request: &HttpRequest, team: &Team) -> bool {
    #[derive(serde::Deserialize)]
    struct OfTeam {
        team: String,
    }
    let named = web::Query::<OfTeam>::from_query(request.query_string());
    named.is_ok_and(|named| named.team == team.id.to_string())
}

/// The URL to return to after sign-in: the requested one, if it was a page.
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
            type Future = LocalBoxFuture<'static, std::result::Result<Self, PageError>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let $request = request.clone();
                Box::pin(async move { $viewer.await.map(Self) })
            }
        }
    };
}

viewer_with_role!(
    /// Any signed-in person, from any page. For actions on a team, use one of the other guards.
    SignedIn, request => signed_in(&request)
);
viewer_with_role!(
    Member, request => require(&request, Role::Member)
);
viewer_with_role!(
    Admin, request => require(&request, Role::Admin)
);
viewer_with_role!(
    Owner, request => require(&request, Role::Owner)
);
