//! `Idempotency-Key`: how a program idempotency a creation whose answer it did not get (IETF
//! draft idempotency-key-header).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{ETAG, HeaderName, LOCATION};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;

use super::caller::ApiCaller;
use super::{ApiError, etag};
use crate::domain::access::idempotency::{Created, Key, Outcome, Request};
use crate::domain::{FieldError, Timestamp};
use crate::web::logged;
use crate::web::request;

pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A creation that may be sent again, if its sender says so.
pub struct IdempotencyKey(Option<(Key, Sender)>);

struct Sender {
    caller: ApiCaller,
    route: Vec<u8>,
    at: Timestamp,
}

impl IdempotencyKey {
    /// This request, by what it means: `body` as it was understood, not as it was written.
    pub fn with(self, body: &impl Serialize) -> Option<Request> {
        let (key, Sender { caller, route, at }) = self.0?;
        let body = serde_json::to_vec(body).expect("a body that was read is JSON");
        let id = match &caller {
            ApiCaller::Token(admission) => admission.token.id.bytes(),
            ApiCaller::Person(viewer) => viewer.user.id.bytes(),
        };
        Some(Request::new(caller.team().id, id, &key, &[&route, &body], at))
    }
}

impl FromRequest for IdempotencyKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = ApiCaller::from_request(request, payload).into_inner();
        ready(caller.and_then(|caller| {
            let Some(key) = key(request)? else { return Ok(Self(None)) };
            let route = logged::route(request).map(|template| template.as_bytes().to_vec());
            let at = request::of(request).now;
            Ok(Self(Some((key, Sender { caller, route: route.unwrap_or_default(), at }))))
        }))
    }
}

fn key(request: &HttpRequest) -> Result<Option<Key>, ApiError> {
    let mut sent = request.headers().get_all(KEY);
    let fault = |error: FieldError| ApiError::invalid_fields(vec![error]);
    match (sent.next(), sent.next()) {
        (None, _) => Ok(None),
        (Some(key), None) => Key::parse(key.as_bytes()).map(Some).map_err(fault),
        _ => Err(fault(FieldError::new("Idempotency-Key", "Send one key, once."))),
    }
}

pub fn json(shown: &impl Serialize) -> String {
    serde_json::to_string(shown).expect("what is shown is JSON")
}

/// What a creation answers: the thing, and where it is from now on.
pub fn created(location: String, thing: &impl Serialize) -> Created {
    Created { location, tag: etag::of(thing).to_string(), body: json(thing), again: None }
}

/// The answer to a creation.
///
/// # Errors
/// When its key is another request's, or the first of its kind is not done yet.
pub fn answer(outcome: Outcome) -> Result<HttpResponse, ApiError> {
    let (location, body, told) = match outcome {
        Outcome::First(made) => (made.location, made.body, (ETAG, made.tag)),
        Outcome::Replayed { location, body } => (location, body, (REPLAYED, "true".into())),
        Outcome::KeyReused => return Err(ApiError::key_reused()),
        Outcome::InProgress => return Err(ApiError::in_progress()),
    };
    let mut answer = HttpResponse::Created();
    answer.insert_header((LOCATION, location)).insert_header(told);
    Ok(answer.content_type("application/json").body(body))
}
