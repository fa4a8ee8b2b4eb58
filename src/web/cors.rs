//! CORS for the API. Scripts on other sites must use a token: no response allows credentials, and the API accepts
//! the dashboard's cookie only from this site.
//!
//! Doesn't use a middleware crate, because scripts must be able to read refusals sent before routing.

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

const ALLOWED_HEADERS: &str =
    "Authorization, X-API-Key, Content-Type, Accept, If-Match, If-None-Match, Idempotency-Key";

const EXPOSED_HEADERS: &str = "Allow, Content-Disposition, ETag, Idempotency-Replayed, Location, RateLimit, \
    RateLimit-Policy, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, \
    X-RateLimit-Reset, X-Request-Id";

/// In seconds.
const MAX_AGE: &str = "7200";

pub fn is_preflight(request: &ServiceRequest, origins: &Origins) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        && origin(request.headers()).is_some_and(|origin| origins.has(origin))
}

/// The same for every path, so that it reveals none.
pub fn preflight(request: ServiceRequest) -> ServiceResponse<BoxBody> {
    let mut response = HttpResponse::NoContent();
    response
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS))
        .insert_header((ACCESS_CONTROL_MAX_AGE, MAX_AGE));
    request.into_response(response.finish())
}

pub fn add_headers<B>(response: &mut ServiceResponse<B>, origins: &Origins) {
    let allowed_origin = origin(response.request().headers()).filter(|origin| origins.has(origin));
    let allowed = match origins {
        Origins::None => return,
        Origins::Any => allowed_origin.map(|_| HeaderValue::from_static("*")),
        Origins::Listed(_) => allowed_origin.and_then(|origin| HeaderValue::from_str(origin).ok()),
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(allowed) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
    }
}

fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(ORIGIN).and_then(|origin| origin.to_str().ok())
}
