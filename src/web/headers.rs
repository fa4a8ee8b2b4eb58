//! Headers every answer carries.

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use super::request::RequestInfo;
use crate::config::PublicUrl;
use crate::domain::Room;

/// Everything from here, nothing inline, no frames.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

type Header = (HeaderName, HeaderValue);

const PAGES: [Header; 8] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP)),
    NOSNIFF,
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // Not no-referrer: it would turn a form's Origin into "null".
    (REFERRER_POLICY, SAME_ORIGIN),
    (HeaderName::from_static("cross-origin-opener-policy"), SAME_ORIGIN),
    (HeaderName::from_static("cross-origin-resource-policy"), SAME_ORIGIN),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"),
    ),
    NO_STORE,
];

/// JSON needs little more than to be taken as nothing else.
const API: [Header; 3] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    NOSNIFF,
    NO_STORE,
];

/// Of this host alone: what else its domain serves is not ours to say.
const HTTPS: [Header; 1] = [(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"))];

/// What may be kept in a cache says so itself; all else may not.
const NO_STORE: Header = (CACHE_CONTROL, HeaderValue::from_static("no-store"));
const NOSNIFF: Header = (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Those of a page that shows a frame of ours.
pub const FRAMING: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Adds them; what an answer says itself stays.
pub fn secure(answer: &mut ServiceResponse<BoxBody>, info: &RequestInfo, is_api: bool) {
    let headers = answer.headers_mut();
    match is_api {
        true => set(headers, API),
        false => set(headers, PAGES),
    }
    // What the listener itself serves is plain: without the setting, nothing is https.
    if info.app().config().public_url.as_ref().is_some_and(PublicUrl::is_https) {
        set(headers, HTTPS);
    }
    let id = HeaderValue::from_str(info.id.spell(&mut Room::default()));
    headers.insert(REQUEST_ID, id.expect("an id is ASCII"));
}

/// By value and appended: a copy of a constant and no look at what was there before make this
/// half as long as `insert` with clones, and every answer carries a dozen headers.
fn set<const N: usize>(headers: &mut HeaderMap, usual: [Header; N]) {
    for (name, value) in usual {
        if !headers.contains_key(&name) {
            headers.append(name, value);
        }
    }
}
