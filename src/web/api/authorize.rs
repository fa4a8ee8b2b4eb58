//! Checks whether an authenticated caller may use a route and has quota left. It runs after the router,
//! because each route declares what it needs.

use actix_web::dev::Handler;
use actix_web::http::Method;
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, Responder, web};

use super::caller::{ApiCaller, AuthenticatedCall, Decision};
use super::{ApiError, etag};
use crate::domain::access::scopes::Need;
use crate::gate::{Allowance, Refusal};
use crate::web::encoding::is_encoded;
use crate::web::request::{self, RequestInfo};

/// # Errors
/// If the caller may not use a route with this need.
pub async fn authorize(request: &HttpRequest, need: Need) -> Result<(), ApiError> {
    let info = request::of(request);
    let Some(call) = AuthenticatedCall::of(request) else {
        return match *request.method() {
            // OPTIONS is never authenticated.
            Method::OPTIONS => Ok(()),
            _ => Err(ApiError::unauthenticated_route()),
        };
    };
    let counted = count(&info, &call.caller, need).await;
    let took = call.began.elapsed();
    let (admitted, allowance) = match &counted {
        Ok(allowance) => (true, Some(*allowance)),
        Err(refusal) => (false, refusal.allowance),
    };
    call.decision.set(Decision { admitted, allowance, took });
    Ok(counted.map(drop)?)
}

async fn count(info: &RequestInfo, caller: &ApiCaller, need: Need) -> Result<Allowance, Refusal> {
    let (gate, now) = (info.app().gate(), info.now);
    match caller {
        ApiCaller::Token(admission) => gate.count(admission, need, now).await,
        // Boxed, so that the calls of tokens have smaller futures.
        ApiCaller::Person(viewer) => Box::pin(gate.count_person(&viewer.team, now)).await,
    }
}

/// Wraps a handler so that it runs only for authorized calls. A middleware would add a layer to every
/// call.
pub fn authorized<F, Args>(
    need: Need,
    is_tagged: bool,
    handler: F,
) -> impl Handler<(HttpRequest, web::Payload), Output = Result<HttpResponse, Error>>
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    move |request: HttpRequest, payload: web::Payload| {
        let handler = handler.clone();
        async move {
            authorize(&request, need).await?;
            if is_encoded(request.headers()) {
                return Err(ApiError::encoded_body().into());
            }
            let args = Args::from_request(&request, &mut payload.into_inner()).await.map_err(Into::into)?;
            let response = handler.call(args).await.respond_to(&request).map_into_boxed_body();
            Ok(if is_tagged { etag::add(&request, response) } else { response })
        }
    }
}
