//! Middleware of every request: adds an id and the common headers, and logs the request once. Authenticates API
//! calls before anything else.

use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::RETRY_AFTER;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse};
use tracing::{Instrument, Span};

use super::compression::compress_page;
use super::logged::{Cause, method, route};
use super::request::RequestInfo;
use super::{api, cors, headers, request, response_memory};
use crate::config::Origins;

pub async fn request_log(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let began = Instant::now();
    let info = request::identify(request.request());
    let span = span(&request, &info);
    let response = respond(request, next, &info, began).instrument(span).await?;
    log(&response, &info, began);
    Ok(response)
}

/// The span that adds its fields to every log line of a request. API calls have it only at `debug`, because it
/// would slow them down and few of them log anything.
fn span(request: &ServiceRequest, info: &RequestInfo) -> Span {
    let method = method(request.method());
    let route = || route(request.request()).unwrap_or("-".into());
    match is_api(request) {
        true => tracing::debug_span!("request", id = %info.id, method, route = &*route()),
        false => tracing::info_span!("request", id = %info.id, method, route = &*route()),
    }
}

fn is_api(request: &ServiceRequest) -> bool {
    request.match_info().as_str().starts_with("/api/")
}

async fn respond(
    request: ServiceRequest,
    next: Next<BoxBody>,
    info: &RequestInfo,
    began: Instant,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_api = is_api(&request);
    let origins = &info.app().config().cors_origins;
    let is_shared = is_api && *origins != Origins::None;
    let mut response = match is_api && api::is_api_call(&request) {
        _ if is_shared && cors::is_preflight(&request, origins) => cors::preflight(request),
        true => api::authenticate(request, next, info, began).await?,
        false => {
            request.extensions_mut().insert(info.clone());
            response_memory::reserve(compress_page(next.call(request).await?), info, |_| busy())
        }
    };
    if is_shared {
        cors::add_headers(&mut response, origins);
    }
    headers::secure(&mut response, info, is_api);
    Ok(response)
}

fn busy() -> HttpResponse {
    HttpResponse::ServiceUnavailable().insert_header((RETRY_AFTER, "15")).finish()
}

fn log(response: &ServiceResponse<BoxBody>, info: &RequestInfo, began: Instant) {
    let cause = response.response().extensions().get::<Cause>().map(|cause| cause.as_str().to_owned());
    // Successful calls have an activity record. Logging them too would cost a fifth of the throughput.
    let is_recorded = info.recorded.get() && response.status().as_u16() < 400;
    let is_logged = match is_recorded {
        true => tracing::enabled!(tracing::Level::DEBUG),
        false => tracing::enabled!(tracing::Level::INFO),
    };
    if cause.is_none() && !is_logged {
        return;
    }
    let (id, ip, method) = (info.id, info.ip.map(|ip| ip.to_string()), method(response.request().method()));
    let route = route(response.request());
    let route = route.as_deref().unwrap_or("-");
    let (status, took) = (response.status().as_u16(), began.elapsed().as_micros() as u64);
    match cause {
        Some(cause) => tracing::error!(request = %id, method, route, status, took_us = took, ip, cause),
        None if is_recorded => tracing::debug!(request = %id, method, route, status, took_us = took, ip),
        None => tracing::info!(request = %id, method, route, status, took_us = took, ip),
    }
}
