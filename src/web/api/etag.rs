//! Which state of a thing an answer shows: nobody is sent again what they have, and nobody
//! overwrites what they have not seen.
//!
//! A tag is half a SHA-256 of the body, byte for byte, so it is a strong one (RFC 9110, section
//! 8.8.1), as `If-Match` needs it; a counter that moved is another state too. Where a thing is
//! large and little of it can change, its handler makes the tag of that little. Answers stay
//! `no-store`, as mail must not lie in caches on the way: tags are for programs that keep things
//! by themselves.

use std::future::{Ready, ready};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::header::{ETAG, EntityTag, Header, IF_MATCH, IfMatch, IfNoneMatch};
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::ApiError;
use crate::domain::sealing::hex;
use crate::domain::{Error, Result};

/// The tag of an answer that shows this.
pub fn of(shown: &impl Serialize) -> EntityTag {
    of_bytes(&serde_json::to_vec(shown).expect("what is shown is JSON"))
}

fn of_bytes(body: &[u8]) -> EntityTag {
    EntityTag::new_strong(hex(&Sha256::digest(body)[..16]))
}

/// Gives a tag to an answer that shows a thing as it is now, unless its handler did. Who has
/// what it shows is told only that.
pub fn tell(request: &HttpRequest, answer: HttpResponse) -> HttpResponse {
    let is_read = request.method().is_safe();
    let is_shown = is_read || request.method() == Method::PATCH;
    if !is_shown || answer.status() != StatusCode::OK || answer.headers().contains_key(ETAG) {
        return answer;
    }
    match tagged(answer) {
        (_, Some(tag)) if is_read && Known::by(request).has(&tag) => not_modified(&tag),
        (mut answer, Some(tag)) => {
            tag_head(&mut answer, &tag);
            answer
        }
        (answer, None) => answer,
    }
}

fn tagged(answer: HttpResponse) -> (HttpResponse, Option<EntityTag>) {
    let mut tag = None;
    let answer = answer.map_body(|_, body| match body.try_into_bytes() {
        Ok(bytes) => {
            tag = Some(of_bytes(&bytes));
            BoxBody::new(bytes)
        }
        // It is made while it is sent.
        Err(body) => body,
    });
    (answer, tag)
}

/// For a handler that knows the tag before there is a body.
pub fn tag_head(answer: &mut HttpResponse, tag: &EntityTag) {
    let value = tag.to_string().try_into().expect("a tag is ASCII");
    answer.headers_mut().insert(ETAG, value);
}

/// The whole answer to who has it already.
pub fn not_modified(tag: &EntityTag) -> HttpResponse {
    let mut answer = HttpResponse::NotModified().finish();
    tag_head(&mut answer, tag);
    answer
}

/// What the sender of a read has already: `If-None-Match`. What cannot be read there is
/// nothing they have.
pub struct Known(IfNoneMatch);

impl Known {
    fn by(request: &HttpRequest) -> Self {
        Self(IfNoneMatch::parse(request).unwrap_or(IfNoneMatch::Items(Vec::new())))
    }

    pub fn has(&self, tag: &EntityTag) -> bool {
        match &self.0 {
            IfNoneMatch::Any => true,
            IfNoneMatch::Items(tags) => tags.iter().any(|each| each.weak_eq(tag)),
        }
    }
}

impl FromRequest for Known {
    type Error = ApiError;
    type Future = Ready<std::result::Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::by(request)))
    }
}

/// What the sender of a change has seen of the thing: `If-Match`. It is looked at inside the
/// change's own transaction, where the thing is held.
pub struct Seen(Option<IfMatch>);

impl Seen {
    /// # Errors
    /// [`Error::Stale`] when the thing, whose tag is `now`, is none of what was seen.
    pub fn is(&self, now: impl FnOnce() -> EntityTag) -> Result<()> {
        let fits = match &self.0 {
            None | Some(IfMatch::Any) => true,
            Some(IfMatch::Items(tags)) => {
                let now = now();
                tags.iter().any(|each| each.strong_eq(&now))
            }
        };
        if fits { Ok(()) } else { Err(Error::Stale) }
    }
}

impl FromRequest for Seen {
    type Error = ApiError;
    type Future = Ready<std::result::Result<Self, ApiError>>;

    /// A tag that cannot be read is one that nothing has.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sent = request.headers().contains_key(IF_MATCH);
        let seen = sent.then(|| IfMatch::parse(request).unwrap_or(IfMatch::Items(Vec::new())));
        ready(Ok(Self(seen)))
    }
}
