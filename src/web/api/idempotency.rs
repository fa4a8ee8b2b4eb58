//! `Idempotency-Key`: lets a client retry a creation if it got no response (IETF draft
//! idempotency-key-header).

use actix_web::http::header::{ETAG, HeaderName, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::caller::ApiCaller;
use super::{ApiError, etag};
use crate::domain::access::idempotency::{Key, Outcome, Request, Stored};
use crate::domain::{FieldError, Timestamp};
use crate::web::logged;
use crate::web::request;

pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The key of a creation, if the client sent one.
pub struct IdempotencyKey(Option<Sent>);

struct Sent {
    key: Key,
    route: Vec<u8>,
    at: Timestamp,
}

impl IdempotencyKey {
    pub fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let Some(key) = key(request)? else { return Ok(Self(None)) };
        let route = logged::route(request).map(|template| template.as_bytes().to_vec()).unwrap_or_default();
        Ok(Self(Some(Sent { key, route, at: request::of(request).now })))
    }

    /// Identifies the request by its meaning: by the parsed `body`, not by its bytes.
    pub fn request(self, caller: &ApiCaller, body: &impl Serialize) -> Option<Request> {
        let Sent { key, route, at } = self.0?;
        let body = serde_json::to_vec(body).expect("parsed bodies serialize to JSON");
        let id = match caller {
            ApiCaller::Token(admission) => admission.token.id.bytes(),
            ApiCaller::Person(viewer) => viewer.user.id.bytes(),
        };
        Some(Request::new(caller.team().id, id, &key, &[&route, &body], at))
    }
}

fn key(request: &HttpRequest) -> Result<Option<Key>, ApiError> {
    let mut sent = request.headers().get_all(KEY);
    let fault = |error: FieldError| ApiError::invalid_fields(vec![error]);
    match (sent.next(), sent.next()) {
        (None, _) => Ok(None),
        (Some(key), None) => Key::parse(key.as_bytes()).map(Some).map_err(fault),
        _ => Err(fault(FieldError::new("Idempotency-Key", "Send exactly one key."))),
    }
}

pub fn json(resource: &impl Serialize) -> String {
    serde_json::to_string(resource).expect("resources serialize to JSON")
}

/// The response to a creation: the resource and its location.
pub fn stored(location: String, resource: &impl Serialize) -> Stored {
    Stored { location, tag: etag::of(resource).to_string(), body: json(resource), replayed_body: None }
}

/// # Errors
/// If the key belongs to another request, or the first request with it is still in progress.
pub fn respond(outcome: Outcome) -> Result<HttpResponse, ApiError> {
    let (location, body, header) = match outcome {
        Outcome::First(stored) => (stored.location, stored.body, (ETAG, stored.tag)),
        Outcome::Replayed { location, body } => (location, body, (REPLAYED, "true".into())),
        Outcome::KeyReused => return Err(ApiError::key_reused()),
        Outcome::InProgress => return Err(ApiError::in_progress()),
    };
    let mut response = HttpResponse::Created();
    response.insert_header((LOCATION, location)).insert_header(header);
    Ok(response.content_type("application/json").body(body))
}
