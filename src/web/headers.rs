//! Headers every answer carries.

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::web;

use super::Site;
use crate::domain::{RequestId, Room};

/// Everything from here, nothing inline, no frames.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const PAGES: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, CSP),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    // Not no-referrer: it would turn a form's Origin into "null".
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()"),
];

/// JSON needs little more than to be taken as nothing else.
const API: [(HeaderName, &str); 2] = [
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Those of a page that shows a frame of ours.
pub const FRAMING: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Adds them; what an answer says itself stays. What may be kept in a cache says so itself;
/// all else may not.
pub fn secure(answer: &mut ServiceResponse<BoxBody>, id: RequestId, is_api: bool) {
    let site = answer.request().app_data::<web::Data<Site>>();
    let https = site.is_some_and(|site| site.url.is_https());
    let headers = answer.headers_mut();
    match is_api {
        true => set(headers, &API),
        false => set(headers, &PAGES),
    }
    if https {
        set(headers, &[(STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains")]);
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let id = HeaderValue::from_str(id.spell(&mut Room::default()));
    headers.insert(REQUEST_ID, id.expect("an id is ASCII"));
}

fn set(headers: &mut HeaderMap, usual: &[(HeaderName, &'static str)]) {
    for (name, value) in usual {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), HeaderValue::from_static(value));
        }
    }
}
