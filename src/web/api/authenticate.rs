//! Middleware of every API request: identifies the caller before the request is routed, and records the
//! call before the response is sent. In between, [`authorize`](super::authorize) checks the route's
//! requirements.
//!
//! A call with a token is authenticated before anything else, so that refusing it is cheap. A call with only
//! the dashboard's cookie is authenticated after the session middleware, in its own scope.

use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};

use super::caller::{self, ApiCaller, AuthenticatedCall};
use super::limits;
use super::{ApiError, dialects};
use crate::domain::people::teams::TeamId;
use crate::gate::{Call, Caller, Refusal};
use crate::web::logged::{self, Cause};
use crate::web::request::{self, RequestInfo};
use crate::web::response_memory;

/// The only path that needs no credential.
const DESCRIPTION: &str = "/openapi.json";

/// Whether a request is authenticated before routing. Decodes the path as the router does, so that
/// `/%61pi` counts as `/api`.
pub fn is_api_call(request: &ServiceRequest) -> bool {
    let path = request.match_info().as_str();
    let is_ours = dialects::at(path).is_some_and(|dialect| dialect.rest(path) != Some(DESCRIPTION));
    is_ours && !caller::has_only_a_cookie(request.headers())
}

/// Like [`authenticate`], but after the session middleware.
pub async fn authenticate_session(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (info, began) = (request::of(request.request()), Instant::now());
    authenticate(request, next, &info, began).await
}

pub async fn authenticate(
    request: ServiceRequest,
    next: Next<BoxBody>,
    info: &RequestInfo,
    began: Instant,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.method() == Method::OPTIONS {
        return Box::pin(respond_to_options(request, next, info)).await;
    }
    let (response, took) = match caller::identify(request.request(), info).await {
        Ok(caller) => admit(request, next, info, caller, began).await?,
        // Boxed, so that successful calls have smaller futures.
        Err(refusal) => Box::pin(refuse(request, info, refusal, began)).await,
    };
    let metrics = info.app().gate().metrics();
    metrics.decided(took);
    metrics.count_response(response.status().as_u16());
    Ok(response)
}

/// Browsers send OPTIONS without a credential, so it is neither counted nor recorded.
async fn respond_to_options(
    request: ServiceRequest,
    next: Next<BoxBody>,
    info: &RequestInfo,
) -> Result<ServiceResponse<BoxBody>, Error> {
    request.extensions_mut().insert(info.clone());
    Ok(render_error(next.call(request).await?, info))
}

/// The response, and the time taken to decide whether to admit the call.
type Handled = (ServiceResponse<BoxBody>, Duration);

async fn admit(
    request: ServiceRequest,
    next: Next<BoxBody>,
    info: &RequestInfo,
    caller: ApiCaller,
    began: Instant,
) -> Result<Handled, Error> {
    let (team, who) = (caller.team().id, caller.recorded());
    let call = Rc::new(AuthenticatedCall::new(caller, began));
    {
        let mut extensions = request.extensions_mut();
        extensions.insert(info.clone());
        extensions.insert(call.clone());
    }
    let response = render_error(next.call(request).await?, info);
    let mut response = response_memory::reserve(response, info, |request| {
        render(&ApiError::unavailable("too many long responses at once"), info, request)
    });
    let decision = call.decision.get();
    if let Some(allowance) = decision.allowance {
        limits::add_headers(response.headers_mut(), &allowance, info.now);
    }
    Ok((record(response, info, (team, who), decision.admitted, began).await, decision.took))
}

async fn refuse(request: ServiceRequest, info: &RequestInfo, refusal: Refusal, began: Instant) -> Handled {
    let (took, (request, _)) = (began.elapsed(), request.into_parts());
    let Refusal { reason, whose, allowance } = refusal;
    if whose.is_none() {
        info.app().gate().metrics().unrecognized(&reason);
    }
    let rendered = render(&reason.into(), info, &request);
    let mut response = ServiceResponse::new(request, rendered);
    if let Some(allowance) = allowance {
        limits::add_headers(response.headers_mut(), &allowance, info.now);
    }
    let response = match whose {
        Some(who) => record(response, info, who, false, began).await,
        None => response,
    };
    (response, took)
}

/// Renders the error of a handler, an extractor or the router.
fn render_error(response: ServiceResponse<BoxBody>, info: &RequestInfo) -> ServiceResponse<BoxBody> {
    let Some(error) = response.response().error() else { return response };
    let fault = ApiError::server_error(error);
    let rendered = render(error.as_error::<ApiError>().unwrap_or(&fault), info, response.request());
    response.into_response(rendered)
}

fn render(error: &ApiError, info: &RequestInfo, request: &HttpRequest) -> HttpResponse {
    let dialect = dialects::at(request.match_info().as_str()).unwrap_or(&dialects::V1);
    let mut response = (dialect.render_error)(error, info.id, request.headers());
    if let Some(cause) = &error.cause {
        response.extensions_mut().insert(Cause::new(cause.clone()));
    }
    response
}

/// Returns the response once its call is recorded.
async fn record(
    response: ServiceResponse<BoxBody>,
    info: &RequestInfo,
    (team, caller): (TeamId, Caller),
    admitted: bool,
    began: Instant,
) -> ServiceResponse<BoxBody> {
    let request = response.request();
    let route = logged::route(request);
    let call = Call {
        team,
        caller,
        request: info.id,
        method: logged::method(request.method()),
        route: route.as_deref().unwrap_or("unknown"),
        status: response.status().as_u16(),
        took: began.elapsed(),
        ip: info.ip,
        agent: info.agent(),
        admitted,
    };
    let recorded = info.app().gate().record(&call).await;
    drop(route);
    match recorded {
        Ok(()) => {
            info.recorded.set(true);
            response
        }
        Err(refusal) => {
            let rendered = render(&refusal.into(), info, response.request());
            response.into_response(rendered)
        }
    }
}
