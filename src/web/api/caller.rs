//! The caller of an API request. A handler that takes an [`ApiCaller`] runs only for authorized callers.

use std::cell::Cell;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::ApiError;
use crate::app::App;
use crate::domain::actor::{Actor, Identity};
use crate::domain::people::roles::Role;
use crate::domain::people::teams::Team;
use crate::gate::{Admission, Allowance, Caller, Reason, Refusal};
use crate::web::origin;
use crate::web::request::RequestInfo;
use crate::web::site::Site;
use crate::web::viewer::{self, NoViewer, Viewer};

/// An alternative to `Authorization`.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// An app with a token, or the owner or an admin with the dashboard's session.
#[derive(Clone)]
pub enum ApiCaller {
    Token(Arc<Admission>),
    Person(Box<Viewer>),
}

impl ApiCaller {
    pub fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let call = AuthenticatedCall::of(request);
        call.map(|call| call.caller.clone()).ok_or_else(ApiError::unauthenticated_route)
    }

    pub fn team(&self) -> &Team {
        match self {
            Self::Token(admission) => &admission.team,
            Self::Person(viewer) => &viewer.team,
        }
    }

    pub fn actor(&self, request: &RequestInfo) -> Actor {
        match self {
            Self::Token(admission) => {
                request.actor(Identity::Token { id: admission.token.id, label: admission.token.name.clone() })
            }
            Self::Person(viewer) => viewer.actor(),
        }
    }

    /// The caller as recorded in the activity log.
    pub fn recorded(&self) -> Caller {
        match self {
            Self::Token(admission) => Caller::Token(admission.token.id),
            Self::Person(viewer) => person(viewer),
        }
    }
}

fn person(viewer: &Viewer) -> Caller {
    Caller::Person { id: viewer.user.id, label: viewer.user.email.clone() }
}

/// An API call whose caller is known, in the request's extensions.
pub struct AuthenticatedCall {
    pub caller: ApiCaller,
    pub began: Instant,
    pub decision: Cell<Decision>,
}

impl AuthenticatedCall {
    pub fn new(caller: ApiCaller, began: Instant) -> Self {
        Self { caller, began, decision: Cell::default() }
    }

    pub fn of(request: &HttpRequest) -> Option<Rc<Self>> {
        request.extensions().get::<Rc<Self>>().cloned()
    }
}

/// The gate's decision, for the headers and the record.
#[derive(Clone, Copy, Default)]
pub struct Decision {
    pub admitted: bool,
    /// The caller's remaining quota.
    pub allowance: Option<Allowance>,
    /// The time since authentication began.
    pub took: Duration,
}

/// A person with a session, for routes that tokens must not use. `Need::Person` has already refused
/// tokens.
pub struct SessionCaller(pub Box<Viewer>);

impl FromRequest for SessionCaller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(ApiCaller::of(request).and_then(|caller| match caller {
            ApiCaller::Person(viewer) => Ok(Self(viewer)),
            ApiCaller::Token(_) => Err(ApiError::for_people()),
        }))
    }
}

impl FromRequest for ApiCaller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// Checks the credential, and that the team's plan includes API access and it is turned on.
pub async fn identify(request: &HttpRequest, info: &RequestInfo) -> Result<ApiCaller, Refusal> {
    match credential(request.headers())? {
        Some(presented) => Ok(ApiCaller::Token(info.app().gate().verify(presented, info.now).await?)),
        // Boxed, so that the calls of tokens have smaller futures.
        None if has_only_a_cookie(request.headers()) => Box::pin(by_session(request)).await,
        None => Err(Reason::NoCredential.into()),
    }
}

/// Returns the one credential in the headers, or `None` without one. Tokens in the query string are never
/// accepted, because URLs end up in logs.
fn credential(headers: &HeaderMap) -> Result<Option<&str>, Reason> {
    let (mut bearer, mut keys) = (headers.get_all(AUTHORIZATION), headers.get_all(API_KEY));
    let presented = match (bearer.next(), bearer.next(), keys.next(), keys.next()) {
        (None, _, None, _) => return Ok(None),
        (Some(value), None, None, _) => bearer_token(text(value)),
        (None, _, Some(value), None) => Some(text(value).trim_ascii()),
        _ => return Err(Reason::SeveralCredentials),
    };
    match presented {
        Some(token) if !token.is_empty() => Ok(Some(token)),
        _ => Err(Reason::NoCredential),
    }
}

/// Whether the dashboard's session applies: only without another credential.
pub fn has_only_a_cookie(headers: &HeaderMap) -> bool {
    let has = |name| headers.contains_key(name);
    has(COOKIE) && !has(AUTHORIZATION) && !has(API_KEY)
}

/// Returns invalid text for a header that is not ASCII: no token matches it.
fn text(value: &HeaderValue) -> &str {
    std::str::from_utf8(value.as_bytes()).unwrap_or("?")
}

/// RFC 6750, section 2.1. The scheme's case does not matter (RFC 9110, section 11.1).
fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_ascii())
}

/// Returns the owner or admin of a dashboard session, if a page of this site sent the request.
async fn by_session(request: &HttpRequest) -> Result<ApiCaller, Refusal> {
    let site = request.app_data::<web::Data<Site>>().expect("the site is registered");
    if !origin::is_own(request.headers(), site.url.as_str(), false) {
        return Err(Reason::NoCredential.into());
    }
    let viewer = match viewer::find(request).await {
        Ok(viewer) => viewer,
        Err(NoViewer::Failed(error)) => return Err(error.into()),
        Err(NoViewer::NotSignedIn | NoViewer::NoTeam(_)) => return Err(Reason::NoCredential.into()),
    };
    let app = request.app_data::<web::Data<App>>().expect("the app is registered");
    let refused = match viewer.role {
        role if role < Role::Admin => Some(Reason::RoleNeeded(Role::Admin)),
        _ => app.gate().closed(&viewer.team),
    };
    match refused {
        None => Ok(ApiCaller::Person(Box::new(viewer))),
        Some(reason) => Err(Refusal::from(reason).of(viewer.team.id, person(&viewer))),
    }
}
