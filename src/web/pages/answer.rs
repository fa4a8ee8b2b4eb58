//! Responses of page handlers.

use std::fmt::Display;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, LOCATION};
use askama::Template;

use super::error::PageError;
use super::notice::{Notice, Undo};
use crate::web::compression::ContainsSecret;

pub type Answer = Result<HttpResponse, PageError>;

/// Renders a page or a fragment.
pub fn html(status: StatusCode, page: &impl Template) -> Answer {
    let body = page.render().map_err(PageError::fault)?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(("vary", "HX-Request"))
        .body(body))
}

/// Renders a page with a one-time secret; see [`ContainsSecret`].
pub fn html_with_secret(status: StatusCode, page: &impl Template) -> Answer {
    let mut answer = html(status, page)?;
    answer.extensions_mut().insert(ContainsSecret);
    Ok(answer)
}

/// Renders a fragment, with the URL that htmx pushes to the history.
pub fn part_at(address: &str, part: &impl Template) -> Answer {
    let mut answer = html(StatusCode::OK, part)?;
    let address = HeaderValue::try_from(address).map_err(PageError::fault)?;
    answer.headers_mut().insert(HeaderName::from_static("hx-replace-url"), address);
    Ok(answer)
}

/// Redirects to `to`, a path on this site.
pub fn see_other(to: impl Display) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, to.to_string())).finish()
}

/// Like [`see_other_with`], with Undo beside the notice.
pub fn see_other_to_undo(to: impl Display, notice: Notice, undo: Option<Undo>) -> HttpResponse {
    let mut answer = see_other_with(to, notice);
    if let Some(undo) = undo {
        answer.extensions_mut().insert(undo);
    }
    answer
}

/// Redirects to a page that shows the notice once.
pub fn see_other_with(to: impl Display, notice: Notice) -> HttpResponse {
    let mut answer = see_other(to);
    answer.extensions_mut().insert(notice);
    answer
}
