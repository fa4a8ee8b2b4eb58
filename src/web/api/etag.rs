//! `ETag`, `If-None-Match` and `If-Match`: unchanged resources are not sent again, and clients don't overwrite
//! changes that they haven't seen.
//!
//! A tag is half a SHA-256 of the body, so it is strong (RFC 9110, section 8.8.1), as `If-Match` requires.
//! The tag of a large resource covers only the parts that can change. Responses stay `no-store`: proxies
//! must not cache mail.

use std::future::{Ready, ready};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::header::{self, ETAG, EntityTag, Header, IF_MATCH};
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::ApiError;
use super::describe::{Argument, Described};
use crate::domain::sealing::hex;
use crate::domain::{Error, Result};

/// The tag of a response with this body.
pub fn of(resource: &impl Serialize) -> EntityTag {
    of_bytes(&serde_json::to_vec(resource).expect("resources serialize to JSON"))
}

fn of_bytes(body: &[u8]) -> EntityTag {
    EntityTag::new_strong(hex(&Sha256::digest(body)[..16]))
}

/// Adds a tag to the response, unless its handler has. Responds 304 to a client that has that version.
pub fn add(request: &HttpRequest, response: HttpResponse) -> HttpResponse {
    let is_read = request.method().is_safe();
    let is_resource = is_read || request.method() == Method::PATCH;
    if !is_resource || response.status() != StatusCode::OK || response.headers().contains_key(ETAG) {
        return response;
    }
    match tagged(response) {
        (_, Some(tag)) if is_read && IfNoneMatch::of(request).has(&tag) => not_modified(&tag),
        (mut response, Some(tag)) => {
            insert(&mut response, &tag);
            response
        }
        (response, None) => response,
    }
}

fn tagged(response: HttpResponse) -> (HttpResponse, Option<EntityTag>) {
    let mut tag = None;
    let response = response.map_body(|_, body| match body.try_into_bytes() {
        Ok(bytes) => {
            tag = Some(of_bytes(&bytes));
            BoxBody::new(bytes)
        }
        // A streamed body has no tag.
        Err(body) => body,
    });
    (response, tag)
}

/// For handlers that know the tag without the body.
pub fn insert(response: &mut HttpResponse, tag: &EntityTag) {
    let value = tag.to_string().try_into().expect("a tag is ASCII");
    response.headers_mut().insert(ETAG, value);
}

pub fn not_modified(tag: &EntityTag) -> HttpResponse {
    let mut response = HttpResponse::NotModified().finish();
    insert(&mut response, tag);
    response
}

/// The versions that the client has. An invalid header means none.
pub struct IfNoneMatch(header::IfNoneMatch);

impl IfNoneMatch {
    fn of(request: &HttpRequest) -> Self {
        Self(header::IfNoneMatch::parse(request).unwrap_or(header::IfNoneMatch::Items(Vec::new())))
    }

    pub fn has(&self, tag: &EntityTag) -> bool {
        match &self.0 {
            header::IfNoneMatch::Any => true,
            header::IfNoneMatch::Items(tags) => tags.iter().any(|each| each.weak_eq(tag)),
        }
    }
}

impl FromRequest for IfNoneMatch {
    type Error = ApiError;
    type Future = Ready<std::result::Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

impl Argument for IfNoneMatch {}

/// The version that the client wants to change, checked in the transaction of the change.
pub struct IfMatch(Option<header::IfMatch>);

impl IfMatch {
    /// An invalid header matches nothing.
    pub fn of(request: &HttpRequest) -> Self {
        let sent = request.headers().contains_key(IF_MATCH);
        let none = || header::IfMatch::Items(Vec::new());
        Self(sent.then(|| header::IfMatch::parse(request).unwrap_or_else(|_| none())))
    }

    /// # Errors
    /// [`Error::Stale`] if the client sent tags, but not that of the current version.
    pub fn check(&self, now: impl FnOnce() -> EntityTag) -> Result<()> {
        let fits = match &self.0 {
            None | Some(header::IfMatch::Any) => true,
            Some(header::IfMatch::Items(tags)) => {
                let now = now();
                tags.iter().any(|each| each.strong_eq(&now))
            }
        };
        if fits { Ok(()) } else { Err(Error::Stale) }
    }
}

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<std::result::Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

impl Argument for IfMatch {
    fn describe(into: &mut Described) {
        into.header("IfMatch", &[412]);
    }
}
