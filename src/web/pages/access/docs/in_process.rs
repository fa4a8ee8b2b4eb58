//! A request to the API from a page, without a socket. It goes through the whole server, as one
//! from a browser would, so that permissions, limits and records are the same.

use std::time::{Duration, Instant};

use actix_http::{Payload, Request};
use actix_service::IntoServiceFactory;
use actix_web::body::to_bytes_limited;
use actix_web::dev::{AppConfig, Service, ServiceFactory};
use actix_web::http::header::{
    CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, USER_AGENT,
};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, web};

use crate::app::App;
use crate::web::pages::error::PageError;
use crate::web::site::Site;

pub struct Call {
    pub method: Method,
    pub uri: Uri,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Option<String>,
}

pub struct Answer {
    pub status: StatusCode,
    /// Until its head was there.
    pub took: Duration,
    pub headers: Vec<(String, String)>,
    /// `None` if it is too long for a page.
    pub body: Option<Bytes>,
}

/// Bytes of a response that are read into memory.
const MAX_BODY: usize = 8 << 20;

/// Sends it with the session of the request `from`, which came from a page of ours.
pub async fn send(from: &HttpRequest, call: Call) -> Result<Answer, PageError> {
    let app = from.app_data::<web::Data<App>>().expect("the app is registered");
    let site = from.app_data::<web::Data<Site>>().expect("the site is registered");
    let program = crate::web::program(app.get_ref().clone(), site.get_ref().clone()).into_factory();
    let service = program.new_service(AppConfig::default()).await;
    let service = service.map_err(|()| PageError::fault("the API does not start"))?;
    let began = Instant::now();
    let answer = service.call(request(from, call)).await.map_err(PageError::fault)?;
    let took = began.elapsed();
    let (status, headers) = (answer.status(), displayed(answer.headers()));
    let body = to_bytes_limited(answer.into_body(), MAX_BODY).await.ok();
    let body = body.transpose().map_err(PageError::fault)?;
    Ok(Answer { status, took, headers, body })
}

fn request(from: &HttpRequest, call: Call) -> Request {
    let has_body = call.body.is_some();
    let mut request = Request::with_payload(Payload::from(call.body.unwrap_or_default().into_bytes()));
    let head = request.head_mut();
    (head.method, head.uri, head.peer_addr) = (call.method, call.uri, from.peer_addr());
    // The headers from which the API identifies the caller.
    let forwarded = HeaderName::from_static("x-forwarded-for");
    for name in [COOKIE, HOST, USER_AGENT, forwarded] {
        for value in from.headers().get_all(&name) {
            head.headers.append(name.clone(), value.clone());
        }
    }
    let ours = (HeaderName::from_static("sec-fetch-site"), HeaderValue::from_static("same-origin"));
    let json = has_body.then(|| (CONTENT_TYPE, HeaderValue::from_static("application/json")));
    for (name, value) in call.headers.into_iter().chain([ours]).chain(json) {
        head.headers.insert(name, value);
    }
    request
}

/// Sorted, without the session's cookie.
fn displayed(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = headers.iter().filter(|(name, _)| **name != SET_COOKIE);
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut displayed: Vec<_> = shown.map(|(name, value)| (name.to_string(), text(value))).collect();
    displayed.sort();
    displayed
}
