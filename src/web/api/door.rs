//! What every API request passes, whatever its address: who calls, before it is routed; the
//! record after it was answered. An answer leaves only when its record is on disk. Between
//! the two lies the [`passage`](super::passage) to the route's handler.
//!
//! A program's call comes here before anything else is done for it, so that a refusal costs
//! next to nothing. A call with nothing but the dashboard's cookie comes here behind the
//! middleware that knows sessions, in a scope of its own.

use std::time::{Duration, Instant};

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};

use super::ApiError;
use super::caller::{self, ApiCaller, Refused};
use super::limits;
use super::passage::Entered;
use crate::domain::people::teams::TeamId;
use crate::gate::{Call, Caller};
use crate::web::front::{self, Cause};
use crate::web::held;
use crate::web::request::{self, RequestInfo};

/// What is there for everybody.
const DESCRIPTION: &str = "/openapi.json";

/// Whether a call passes the door before it is routed. The path is the one the router reads:
/// to it, `/%61pi` is `/api`.
pub fn is_for_the_door(request: &ServiceRequest) -> bool {
    let rest = request.match_info().as_str().strip_prefix(super::BASE);
    let is_ours = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') && rest != DESCRIPTION);
    is_ours && !caller::has_only_a_cookie(request.headers())
}

/// The door behind the middleware that knows sessions.
pub async fn inner_door(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (info, began) = (request::of(request.request()), Instant::now());
    door(request, next, &info, began).await
}

pub async fn door(
    request: ServiceRequest,
    next: Next<BoxBody>,
    info: &RequestInfo,
    began: Instant,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.method() == Method::OPTIONS {
        return Box::pin(tell_options(request, next, info)).await;
    }
    let (answer, took) = match caller::enter(request.request(), info).await {
        Ok(caller) => admit(request, next, info, caller, began).await?,
        // Boxed, so that it takes no room in calls that are let in.
        Err(refused) => Box::pin(refuse(request, info, refused, began)).await,
    };
    let metrics = info.app().gate().metrics();
    metrics.decided(took);
    metrics.answered(answer.status().as_u16());
    Ok(answer)
}

/// What an address takes is no secret, and browsers ask for it without a credential: it is
/// nobody's call, so it is neither counted nor recorded.
async fn tell_options(
    request: ServiceRequest,
    next: Next<BoxBody>,
    info: &RequestInfo,
) -> Result<ServiceResponse<BoxBody>, Error> {
    request.extensions_mut().insert(info.clone());
    Ok(dress(next.call(request).await?, info))
}

/// The answer, and how long it took to let the call in or refuse it.
type Answered = (ServiceResponse<BoxBody>, Duration);

async fn admit(
    request: ServiceRequest,
    next: Next<BoxBody>,
    info: &RequestInfo,
    caller: ApiCaller,
    began: Instant,
) -> Result<Answered, Error> {
    let (team, who) = (caller.team().id, caller.recorded());
    let entered = info.entered.get_or_init(|| Entered::new(caller, began));
    request.extensions_mut().insert(info.clone());
    let answer = dress(next.call(request).await?, info);
    let mut answer = held::hold(answer, info, |request| {
        draw(&ApiError::unavailable("too many long answers at once"), info, request)
    });
    let passage = entered.passage.get();
    if let Some(allowance) = passage.allowance {
        limits::tell(answer.headers_mut(), &allowance, info.now);
    }
    Ok((record(answer, info, (team, who), passage.admitted, began).await, passage.took))
}

async fn refuse(request: ServiceRequest, info: &RequestInfo, refused: Refused, began: Instant) -> Answered {
    let (took, (request, _)) = (began.elapsed(), request.into_parts());
    let drawn = draw(&refused.error, info, &request);
    let mut answer = ServiceResponse::new(request, drawn);
    if let Some(allowance) = refused.allowance {
        limits::tell(answer.headers_mut(), &allowance, info.now);
    }
    let answer = match refused.whose {
        Some(who) => record(answer, info, who, false, began).await,
        None => {
            info.app().gate().metrics().unrecognised(refused.error.unrecognised());
            answer
        }
    };
    (answer, took)
}

/// Draws what a handler, an extractor or the router refused.
fn dress(answer: ServiceResponse<BoxBody>, info: &RequestInfo) -> ServiceResponse<BoxBody> {
    let Some(error) = answer.response().error() else { return answer };
    let fault = ApiError::server_error(error);
    let drawn = draw(error.as_error::<ApiError>().unwrap_or(&fault), info, answer.request());
    answer.into_response(drawn)
}

fn draw(error: &ApiError, info: &RequestInfo, request: &HttpRequest) -> HttpResponse {
    let mut answer = error.draw(info.id, request.headers());
    if let Some(cause) = &error.cause {
        answer.extensions_mut().insert(Cause::new(cause.clone()));
    }
    answer
}

/// The answer, once its call is recorded.
async fn record(
    answer: ServiceResponse<BoxBody>,
    info: &RequestInfo,
    (team, caller): (TeamId, Caller),
    admitted: bool,
    began: Instant,
) -> ServiceResponse<BoxBody> {
    let request = answer.request();
    let route = front::route(request);
    let call = Call {
        team,
        caller,
        request: info.id,
        method: front::method(request.method()),
        route: route.as_deref().unwrap_or("unknown"),
        status: answer.status().as_u16(),
        took: began.elapsed(),
        ip: info.ip,
        agent: info.agent(),
        admitted,
    };
    let recorded = info.app().gate().record(&call).await;
    drop(route);
    match recorded {
        Ok(()) => answer,
        Err(_) => {
            let error = ApiError::unavailable("the call could not be recorded");
            let drawn = draw(&error, info, answer.request());
            answer.into_response(drawn)
        }
    }
}
