//! Pages: one file a page, its handlers beside the struct its template is drawn from.

pub mod access;
pub mod csrf;
pub mod error;
pub mod guards;
pub mod health;
pub mod layout;
pub mod mailroom;
pub mod notice;
pub mod password_again;
pub mod people;
pub mod when;

use std::borrow::Cow;
use std::fmt::Display;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, LOCATION};
use askama::Template;

use crate::domain::{self, FieldError};
use crate::web::paths;
use crate::web::route::{PageRoute, page};
use error::PageError;
use notice::Notice;

/// The dashboard, for people who are signed in or about to be.
pub fn routes() -> Vec<PageRoute> {
    let home = page(paths::HOME).get(async || see_other(paths::INBOX));
    let areas = [vec![home], people::routes(), mailroom::routes(), access::routes()];
    areas.into_iter().flatten().collect()
}

/// A page, or a part of one, as an answer.
pub fn html(status: StatusCode, page: &impl Template) -> Result<HttpResponse, PageError> {
    let body = page.render().map_err(PageError::fault)?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(("vary", "HX-Request"))
        .body(body))
}

/// After a change: go and look. `to` is a path of ours.
pub fn see_other(to: impl Display) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, to.to_string())).finish()
}

/// After a change: go and look at the page that says once what was done.
pub fn see_other_with(to: impl Display, notice: Notice) -> HttpResponse {
    let mut answer = see_other(to);
    answer.extensions_mut().insert(notice);
    answer
}

/// A part of a page, which the browser is to keep under this address.
pub fn part_at(address: &str, part: &impl Template) -> Result<HttpResponse, PageError> {
    let mut answer = html(StatusCode::OK, part)?;
    let address = HeaderValue::try_from(address).map_err(PageError::fault)?;
    answer.headers_mut().insert(HeaderName::from_static("hx-replace-url"), address);
    Ok(answer)
}

/// What is wrong with a form, by field; empty for a form not sent yet.
#[derive(Clone, Debug, Default)]
pub struct FormErrors(Vec<FieldError>);

impl FormErrors {
    /// Takes a refusal that a form can show beside its fields, and gives any other back.
    pub fn of(error: domain::Error) -> Result<(StatusCode, Self), PageError> {
        match error {
            domain::Error::Invalid(errors) => Ok((StatusCode::UNPROCESSABLE_ENTITY, Self(errors))),
            domain::Error::Conflict(error) => Ok((StatusCode::CONFLICT, Self(vec![error]))),
            other => Err(other.into()),
        }
    }

    pub fn one(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self(vec![FieldError::new(field, message)])
    }

    /// The sentence beside a field; empty when there is none.
    pub fn at(&self, field: &str) -> &str {
        self.0.iter().find(|each| each.field == field).map_or("", |each| &each.message)
    }

    /// The sentence about the form as a whole.
    pub fn whole(&self) -> &str {
        self.at("")
    }
}

/// Gathers what several fields have to say before giving up on any of them.
#[derive(Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    pub fn take<T>(&mut self, parsed: Result<T, FieldError>) -> Option<T> {
        parsed.map_err(|error| self.0.push(error)).ok()
    }

    /// # Errors
    /// `Invalid` with everything taken so far, unless there was nothing.
    pub fn done<T>(self, value: Option<T>) -> Result<T, domain::Error> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(domain::Error::Invalid(self.0)),
        }
    }
}
