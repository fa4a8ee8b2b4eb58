//! Pages: one file a page, its handlers beside the struct its template is drawn from.

pub mod access;
pub mod error;
pub mod health;
pub mod mailroom;
pub mod notice;
pub mod password_again;
pub mod people;
pub mod shell;

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, LOCATION};
use askama::Template;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::{self, FieldError};
use error::PageError;
use notice::Notice;

/// A page, or a part of one, as an answer.
pub fn html(status: StatusCode, page: &impl Template) -> Result<HttpResponse, PageError> {
    let body = page.render().map_err(PageError::fault)?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(("vary", "HX-Request"))
        .body(body))
}

/// After a change: go and look. `to` is a path of ours.
pub fn see_other(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, to)).finish()
}

/// After a change: go and look at the page that says once what was done.
pub fn see_other_with(to: &str, notice: Notice) -> HttpResponse {
    let mut answer = see_other(to);
    answer.extensions_mut().insert(notice);
    answer
}

/// What a query string keeps as it is.
pub const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b':');

/// A path of ours with its parameters; those that are empty are left out.
pub fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<_> =
        given.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, QUERY))).collect();
    match pairs.as_slice() {
        [] => path.to_owned(),
        pairs => format!("{path}?{}", pairs.join("&")),
    }
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
