//! Forms: input is parsed field by field, and shown again with its errors.

use std::borrow::Cow;
use std::fmt::Display;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, web};
use askama::Template;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use super::answer::{Answer, html, see_other_with};
use super::error::PageError;
use super::notice::Notice;
use crate::domain::{self, FieldError};

/// The errors of a form by field, empty before it is submitted.
#[derive(Clone, Debug, Default)]
pub struct FormErrors(Vec<FieldError>);

impl FormErrors {
    /// Extracts field errors. Returns any other error as a [`PageError`].
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

    /// The error next to a field, or empty.
    pub fn at(&self, field: &str) -> &str {
        self.0.iter().find(|each| each.field == field).map_or("", |each| &each.message)
    }

    /// The error about the whole form.
    pub fn whole(&self) -> &str {
        self.at("")
    }
}

/// Collects the errors of all fields, so that the form shows them together.
#[derive(Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    pub fn take<T>(&mut self, parsed: Result<T, FieldError>) -> Option<T> {
        parsed.map_err(|error| self.0.push(error)).ok()
    }

    /// # Errors
    /// `Invalid` with all collected errors, if any.
    pub fn done<T>(self, value: Option<T>) -> Result<T, domain::Error> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(domain::Error::Invalid(self.0)),
        }
    }
}

/// The input of a form, and its errors.
#[derive(Clone, Debug, Default)]
pub struct Form {
    typed: Vec<(String, String)>,
    pub errors: FormErrors,
}

impl Form {
    /// The input of a field, or empty if it was not sent.
    pub fn get(&self, name: &str) -> &str {
        self.or(name, "")
    }

    /// The input, or the stored value before the form is submitted.
    pub fn or<'a>(&'a self, name: &str, before: &'a str) -> &'a str {
        self.typed.iter().find(|(field, _)| field == name).map_or(before, |(_, value)| value)
    }

    pub fn or_some<'a>(&'a self, name: &str, before: &'a Option<String>) -> &'a str {
        self.or(name, before.as_deref().unwrap_or_default())
    }

    /// The same input with its errors.
    pub fn with(self, errors: FormErrors) -> Self {
        Self { errors, ..self }
    }

    /// The error next to a field, or empty.
    pub fn error(&self, field: &str) -> &str {
        self.errors.at(field)
    }
}

impl FromRequest for Form {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let typed = web::Form::<Vec<(String, String)>>::from_request(request, payload);
        Box::pin(async move {
            let typed = typed.await.map_err(|error| PageError::bad_request(error.to_string()))?;
            Ok(Self { typed: typed.into_inner(), errors: FormErrors::default() })
        })
    }
}

/// A form in which a field name can occur several times, like checkboxes.
pub struct Repeating<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Repeating<T> {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            let body = body.await.map_err(|error| PageError::bad_request(error.to_string()))?;
            let form = serde_html_form::from_bytes(&body);
            form.map(Self).map_err(|error| PageError::bad_request(error.to_string()))
        })
    }
}

/// An option of a menu.
pub struct Choice {
    pub value: String,
    pub text: String,
}

impl Choice {
    pub fn new(value: impl Display, text: impl Display) -> Self {
        Self { value: value.to_string(), text: text.to_string() }
    }
}

/// Redirects with a notice on success, or else renders the form again with its errors.
pub async fn redirect_or_render<T, To: Display, Page: Template>(
    done: domain::Result<T>,
    notice: Notice,
    to: impl FnOnce(T) -> To,
    form: Form,
    again: impl AsyncFnOnce(Form) -> Result<Page, PageError>,
) -> Answer {
    match done {
        Ok(done) => Ok(see_other_with(to(done), notice)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            html(status, &again(Form { errors, ..form }).await?)
        }
    }
}

/// Like [`redirect_or_render`], for a form in a dialog.
pub async fn redirect_or_ask<T, To: Display>(
    done: domain::Result<T>,
    notice: Notice,
    to: impl FnOnce(T) -> To,
    form: Form,
    again: impl AsyncFnOnce(StatusCode, Form) -> Answer,
) -> Answer {
    match done {
        Ok(done) => Ok(see_other_with(to(done), notice)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            again(status, Form { errors, ..form }).await
        }
    }
}

/// Normalizes line ends of a multi-line field: browsers send CR LF, but count it as one character.
pub fn lines(typed: &str) -> String {
    typed.replace("\r\n", "\n")
}
