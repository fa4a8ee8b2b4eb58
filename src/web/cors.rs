//! Scripts of pages elsewhere (CORS): whether they may send what the API takes, and read what
//! it answers. They bring a token. The dashboard's cookie is not theirs to use: no answer
//! allows credentials, and the API takes a cookie only from this site.
//!
//! These few lines are our own because the request log answers before anything is routed, and a
//! script needs to read refusals above all.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};

use crate::config::Origins;

const METHODS: &str = "GET, HEAD, POST, PATCH, DELETE, OPTIONS";

/// Headers that scripts can send, beyond those that browsers always allow.
const SENT: &str = "Authorization, X-API-Key, Content-Type, Accept, If-Match, If-None-Match, Idempotency-Key";

/// Headers that scripts can read, beyond those that browsers always allow.
const READ: &str = "Allow, Content-Disposition, ETag, Idempotency-Replayed, Location, RateLimit, \
    RateLimit-Policy, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, \
    X-RateLimit-Reset, X-Request-Id";

/// Seconds for which a browser need not ask again; browsers also forget sooner.
const MAX_AGE: &str = "7200";

/// Whether a browser asks what a script of one of these pages may send.
pub fn is_asked(request: &ServiceRequest, origins: &Origins) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        && origin(request.headers()).is_some_and(|origin| origins.has(origin))
}

/// The response to that, whatever the address: whether it exists, the request itself shows.
pub fn preflight(request: ServiceRequest) -> ServiceResponse<BoxBody> {
    let mut answer = HttpResponse::NoContent();
    answer
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, SENT))
        .insert_header((ACCESS_CONTROL_MAX_AGE, MAX_AGE));
    request.into_response(answer.finish())
}

/// Adds to any response whose scripts can read it.
pub fn add_headers<B>(answer: &mut ServiceResponse<B>, origins: &Origins) {
    let asked = origin(answer.request().headers()).filter(|origin| origins.has(origin));
    let allowed = match origins {
        Origins::None => return,
        Origins::Any => asked.map(|_| HeaderValue::from_static("*")),
        Origins::Listed(_) => asked.and_then(|origin| HeaderValue::from_str(origin).ok()),
    };
    let headers = answer.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(allowed) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ));
    }
}

fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(ORIGIN).and_then(|origin| origin.to_str().ok())
}
