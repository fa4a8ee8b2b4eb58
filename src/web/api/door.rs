//! What every API request passes, whatever its address: who calls, before it is routed; the
//! record after it was answered. An answer leaves only when its record is on disk. Between
//! the two lies the [`passage`](super::passage) to the route's handler.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, web};

use super::ApiError;
use super::caller::{self, ApiCaller};
use super::limits;
use super::passage::Passage;
use crate::app::App;
use crate::domain::people::teams::TeamId;
use crate::gate::{Call, Caller, Gate};
use crate::web::request::{self, Cause, RequestInfo};

pub async fn door<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let began = Instant::now();
    let entered = caller::enter(request.request()).await;
    let entering = began.elapsed();
    let (mut answer, whose, passage) = match entered {
        Ok(caller) => {
            let whose = Some((caller.team().id, caller.recorded()));
            request.extensions_mut().insert::<ApiCaller>(caller);
            let answer = dress(next.call(request).await?.map_into_boxed_body());
            let passage = Passage::of(answer.request());
            (answer, whose, passage)
        }
        Err(refused) => {
            let (request, _) = request.into_parts();
            if refused.whose.is_none() {
                gate(&request).metrics().unrecognised(refused.error.unrecognised());
            }
            let answer = draw(&refused.error, &request);
            let passage = Passage { allowance: refused.allowance, ..Passage::default() };
            (ServiceResponse::new(request, answer), refused.whose, passage)
        }
    };
    gate(answer.request()).metrics().decided(entering + passage.took);
    if let Some(allowance) = passage.allowance {
        let now = request::of(answer.request()).now;
        limits::tell(answer.headers_mut(), &allowance, now);
    }
    let answer = match whose {
        Some((team, caller)) => record(answer, team, caller, passage.admitted, began).await?,
        None => answer,
    };
    gate(answer.request()).metrics().answered(answer.status().as_u16());
    Ok(answer)
}

fn gate(request: &HttpRequest) -> &Gate {
    request.app_data::<web::Data<App>>().expect("the app is registered").gate()
}

/// Draws what a handler, an extractor or the router refused.
fn dress(answer: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let Some(error) = answer.response().error() else { return answer };
    let fault = ApiError::server_error(error);
    let drawn = draw(error.as_error::<ApiError>().unwrap_or(&fault), answer.request());
    answer.into_response(drawn)
}

fn draw(error: &ApiError, request: &HttpRequest) -> HttpResponse {
    let mut answer = error.draw(request::of(request).id, request.headers());
    if let Some(cause) = &error.cause {
        answer.extensions_mut().insert(Cause(cause.clone()));
    }
    answer
}

async fn record(
    answer: ServiceResponse<BoxBody>,
    team: TeamId,
    caller: Caller,
    admitted: bool,
    began: Instant,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let request = answer.request();
    let app = request.app_data::<web::Data<App>>().expect("the app is registered").clone();
    let RequestInfo { id, now, ip, agent, .. } = request::of(request);
    let call = Call {
        team,
        caller,
        request: id,
        at: now,
        method: method(request.method()),
        route: request.match_pattern().unwrap_or_else(|| "unknown".into()),
        status: answer.status().as_u16(),
        took: began.elapsed(),
        ip,
        agent,
        admitted,
    };
    match app.gate().record(call).await {
        Ok(()) => Ok(answer),
        Err(_) => {
            let unavailable =
                draw(&ApiError::unavailable("the call could not be recorded"), answer.request());
            Ok(answer.into_response(unavailable))
        }
    }
}

/// The methods there are; what else somebody sends is not worth keeping.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
