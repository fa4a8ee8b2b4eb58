//! Error pages, which say what happened and what to do next.

use std::fmt;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, LOCATION};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use crate::domain::error::StoreError;
use crate::domain::people::roles::Role;
use crate::domain::{self, FieldError};
use crate::web::htmx;
use crate::web::logged::Cause;
use crate::web::paths;
use crate::web::request;
use crate::web::viewer::{self, Viewer, WithoutTeam};

use super::layout::Layout;

/// The error of a page request. [`render_errors`] renders it, because it knows the request.
#[derive(Debug)]
pub struct PageError {
    status: StatusCode,
    title: &'static str,
    message: String,
    /// The redirect target.
    to: Option<Box<str>>,
    /// A link to another page.
    offer: Option<Box<str>>,
    /// The person, if they have no team to show a page of.
    person: Option<Box<WithoutTeam>>,
    retry_after: Option<u32>,
    /// Only for the log.
    cause: Option<String>,
}

impl PageError {
    fn new(status: StatusCode, title: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, title, message, to: None, offer: None, person: None, retry_after: None, cause: None }
    }

    /// Redirects to the sign-in page, which returns to `next`, a path on this site or empty.
    pub fn sign_in(next: &str) -> Self {
        let next = if next == paths::HOME.0 { "" } else { next };
        let to = Some(paths::SIGN_IN.query(&[("next", next)]).into());
        Self { to, ..Self::new(StatusCode::SEE_OTHER, "Sign in", "Sign in first.") }
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Page not found", "It doesn't exist or belongs to another team.")
    }

    pub fn dead_link() -> Self {
        let message =
            "It was used or revoked, or it has expired. Ask the person who invited you for a new link.";
        Self::new(StatusCode::NOT_FOUND, "This invitation is no longer valid", message)
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Something was missing from that request", message)
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "You don't have permission", message)
    }

    pub fn role_needed(role: Role) -> Self {
        Self::forbidden(role.who_may())
    }

    pub fn another_team() -> Self {
        let message = "This page belongs to another team. Switch teams and try again.";
        Self::new(StatusCode::CONFLICT, "Nothing was changed", message)
    }

    pub fn no_team(person: WithoutTeam) -> Self {
        let message = "You aren't on a team. Ask a team's owner or admin for an invitation.";
        let page = Self::new(StatusCode::FORBIDDEN, "You aren't on a team", message);
        Self { person: Some(Box::new(person)), ..page }
    }

    pub fn cross_site() -> Self {
        let message = "This request didn't come from a page of this site, so nothing was changed. Open the page here and try again.";
        Self::new(StatusCode::FORBIDDEN, "Request blocked", message)
    }

    pub fn encoded_body() -> Self {
        let message = "Compressed requests are not accepted. Send the form without Content-Encoding.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Request not supported", message)
    }

    pub fn plain_http(secure: &str) -> Self {
        let message =
            format!("Your browser doesn't keep the session of an insecure page. Open {secure} instead.");
        let page = Self::new(StatusCode::BAD_REQUEST, "Signing in only works over HTTPS", message);
        Self { offer: Some(secure.into()), ..page }
    }

    fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "This page can't be opened directly",
            "Go back and try again from the page you came from.",
        )
    }

    pub fn fault(cause: impl fmt::Display) -> Self {
        let page = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong",
            "The error is on our side, and nothing was changed. Try again in a minute.",
        );
        Self { cause: Some(cause.to_string()), ..page }
    }
}

impl From<domain::Error> for PageError {
    fn from(error: domain::Error) -> Self {
        let message = error.to_string();
        match error {
            domain::Error::NotFound => Self::not_found(),
            domain::Error::Forbidden(sentence) => Self::forbidden(sentence),
            domain::Error::Invalid(_) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "That isn't possible",
                message.trim_start_matches("invalid: "),
            ),
            domain::Error::Conflict(_) | domain::Error::Stale => {
                Self::new(StatusCode::CONFLICT, "That isn't possible", message)
            }
            domain::Error::TooMany { retry_after, .. } => {
                let page = Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many attempts", message);
                Self { retry_after: Some(retry_after), ..page }
            }
            domain::Error::Busy(_) => {
                let page = Self::new(StatusCode::SERVICE_UNAVAILABLE, "Try again in a minute", message);
                Self { retry_after: Some(60), ..page }
            }
            domain::Error::Store(error) => error.into(),
        }
    }
}

/// For values that our own forms never send.
impl From<FieldError> for PageError {
    fn from(error: FieldError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "That isn't possible", error.message)
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => {
                let message = "The database isn't responding. Your change was probably not saved: check in a minute before you repeat it.";
                let page = Self::new(StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable", message);
                Self { retry_after: Some(60), cause: Some(cause), ..page }
            }
            other => Self::fault(other),
        }
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause.as_deref().unwrap_or(&self.message))
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    /// Empty, because [`render_errors`] renders it.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status)
    }
}

#[derive(Template)]
#[template(path = "error/page.html")]
struct ErrorPage<'a> {
    status: u16,
    title: &'static str,
    message: &'a str,
    request: String,
    offer: Option<&'a str>,
}

impl ErrorPage<'_> {
    /// An icon and its tone.
    fn picture(&self) -> (&'static str, &'static str) {
        match self.status {
            403 => ("lock", "warning"),
            404 => ("search", "info"),
            500.. => ("triangle-alert", "danger"),
            _ => ("circle-alert", "warning"),
        }
    }
}

/// For a person who is signed in and has no team.
#[derive(Template)]
#[template(path = "error/no_team.html")]
struct NoTeamPage<'a> {
    person: &'a WithoutTeam,
}

/// The error page in the frame, for signed-in people.
#[derive(Template)]
#[template(path = "error/framed.html")]
struct FramedError<'a> {
    layout: Layout,
    page: ErrorPage<'a>,
}

#[derive(Template)]
#[template(path = "error/_notice.html")]
struct ErrorNotice<'a> {
    message: &'a str,
    request: String,
    is_fault: bool,
}

/// Middleware that renders the errors of pages, as a page or, for htmx, as a notice.
pub async fn render_errors<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let response = next.call(request).await?;
    let viewer = viewer_of(&response).await;
    let error = response.response().error().and_then(|error| error.as_error::<PageError>());
    let page = match error {
        Some(error) => Some(render(error, viewer.as_ref(), response.request())),
        None => method_not_allowed(&response, viewer.as_ref()),
    };
    let cause = error.and_then(|error| error.cause.clone());
    let Some(mut page) = page else { return Ok(response.map_into_left_body()) };
    if let Some(cause) = cause {
        page.extensions_mut().insert(Cause::new(cause));
    }
    Ok(response.into_response(page).map_into_right_body())
}

/// Replaces actix's empty 405 with a page.
fn method_not_allowed<B>(bare: &ServiceResponse<B>, viewer: Option<&Viewer>) -> Option<HttpResponse> {
    if bare.status() != StatusCode::METHOD_NOT_ALLOWED {
        return None;
    }
    let mut page = render(&PageError::method_not_allowed(), viewer, bare.request());
    if let Some(allow) = bare.headers().get(ALLOW) {
        page.headers_mut().insert(ALLOW, allow.clone());
    }
    Some(page)
}

fn render(error: &PageError, viewer: Option<&Viewer>, request: &HttpRequest) -> HttpResponse {
    let by_htmx = htmx::is_htmx(request);
    let mut answer = HttpResponse::build(error.status);
    answer.insert_header(("vary", "HX-Request")).content_type("text/html; charset=utf-8");
    if let Some(seconds) = error.retry_after {
        answer.insert_header(("retry-after", seconds.to_string()));
    }
    match &error.to {
        Some(to) if by_htmx => answer.status(StatusCode::OK).insert_header(("hx-redirect", &**to)).finish(),
        Some(to) => answer.insert_header((LOCATION, &**to)).finish(),
        None if by_htmx => answer
            .insert_header(("hx-retarget", "#notices"))
            .insert_header(("hx-reswap", "innerHTML"))
            .body(notice(error, request)),
        None => answer.body(page(error, viewer, request)),
    }
}

/// The signed-in person who gets the error page. Not loaded while the store is unavailable.
async fn viewer_of<B>(response: &ServiceResponse<B>) -> Option<Viewer> {
    let request = response.request();
    let error = response.response().error().and_then(|error| error.as_error::<PageError>());
    let is_page = match error {
        Some(error) => error.to.is_none() && error.status != StatusCode::SERVICE_UNAVAILABLE,
        None => response.status() == StatusCode::METHOD_NOT_ALLOWED,
    };
    if !is_page || htmx::is_htmx(request) {
        return None;
    }
    viewer::find(request).await.ok()
}

fn page(error: &PageError, viewer: Option<&Viewer>, request: &HttpRequest) -> String {
    if let Some(person) = &error.person {
        return NoTeamPage { person }.render().unwrap_or_else(|_| error.message.clone());
    }
    let page = ErrorPage {
        status: error.status.as_u16(),
        title: error.title,
        message: &error.message,
        request: request::of(request).id.to_string(),
        offer: error.offer.as_deref(),
    };
    let rendered = match viewer {
        Some(viewer) => FramedError { layout: Layout::of_error(viewer), page }.render(),
        None => page.render(),
    };
    rendered.unwrap_or_else(|_| error.message.clone())
}

fn notice(error: &PageError, request: &HttpRequest) -> String {
    let notice = ErrorNotice {
        message: &error.message,
        request: request::of(request).id.to_string(),
        is_fault: error.status.is_server_error(),
    };
    notice.render().unwrap_or_else(|_| error.message.clone())
}
