//! The headers of every response.

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use super::request::RequestInfo;
use crate::config::PublicUrl;
use crate::domain::Room;

/// Allows only this site, nothing inline, and no frames.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

type Header = (HeaderName, HeaderValue);

const PAGES: [Header; 8] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP)),
    NOSNIFF,
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // With no-referrer, browsers would send "null" as a form's Origin.
    (REFERRER_POLICY, SAME_ORIGIN),
    (HeaderName::from_static("cross-origin-opener-policy"), SAME_ORIGIN),
    (HeaderName::from_static("cross-origin-resource-policy"), SAME_ORIGIN),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"),
    ),
    NO_STORE,
];

const API: [Header; 3] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    NOSNIFF,
    NO_STORE,
];

/// Excludes subdomains, which may belong to other services.
const HTTPS: [Header; 1] = [(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"))];

/// Responses that can be cached set their own.
const NO_STORE: Header = (CACHE_CONTROL, HeaderValue::from_static("no-store"));
const NOSNIFF: Header = (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// For a page that shows a frame of this site.
pub const FRAMING: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Keeps headers that the response already has.
pub fn secure(response: &mut ServiceResponse<BoxBody>, info: &RequestInfo, is_api: bool) {
    let headers = response.headers_mut();
    match is_api {
        true => set(headers, API),
        false => set(headers, PAGES),
    }
    // The listener speaks plain HTTP, so only the setting shows whether a proxy adds TLS.
    if info.app().config().public_url.as_ref().is_some_and(PublicUrl::is_https) {
        set(headers, HTTPS);
    }
    let id = HeaderValue::from_str(info.id.write_into(&mut Room::default()));
    headers.insert(REQUEST_ID, id.expect("ids are ASCII"));
}

/// Appends constants by value, which takes half as long as `insert` with clones.
fn set<const N: usize>(headers: &mut HeaderMap, usual: [Header; N]) {
    for (name, value) in usual {
        if !headers.contains_key(&name) {
            headers.append(name, value);
        }
    }
}
