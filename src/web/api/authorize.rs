//! Whether an authenticated caller may use a route, and has a call left. It runs behind the
//! router because only the route knows what it needs.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::http::Method;
use actix_web::{HttpMessage, HttpRequest};

use super::ApiError;
use super::caller::ApiCaller;
use crate::domain::access::scopes::Need;
use crate::gate::{self, Allowance, Refusal};
use crate::web::request::{self, RequestInfo};

/// An API call whose caller is known. Lives in the request's extensions.
pub struct AuthenticatedCall {
    pub caller: ApiCaller,
    began: Instant,
    pub decision: Cell<Decision>,
}

impl AuthenticatedCall {
    pub fn new(caller: ApiCaller, began: Instant) -> Self {
        Self { caller, began, decision: Cell::default() }
    }

    pub fn of(request: &HttpRequest) -> Option<Rc<Self>> {
        request.extensions().get::<Rc<Self>>().cloned()
    }
}

/// What was decided, for the headers and the record.
#[derive(Clone, Copy, Default)]
pub struct Decision {
    pub admitted: bool,
    /// The caller's remaining quota.
    pub allowance: Option<Allowance>,
    /// Since authentication began.
    pub took: Duration,
}

/// # Errors
/// When the caller may not use a route with this need.
pub async fn authorize(request: &HttpRequest, need: Need) -> Result<(), ApiError> {
    let info = request::of(request);
    let Some(call) = AuthenticatedCall::of(request) else {
        return match *request.method() {
            // Never authenticated.
            Method::OPTIONS => Ok(()),
            _ => Err(ApiError::unauthenticated_route()),
        };
    };
    let taken = take(&info, &call.caller, need).await;
    let took = call.began.elapsed();
    let (admitted, allowance) = match &taken {
        Ok(allowance) => (true, Some(*allowance)),
        Err(refusal) => (false, refusal.allowance()),
    };
    call.decision.set(Decision { admitted, allowance, took });
    Ok(taken.map(drop)?)
}

async fn take(info: &RequestInfo, caller: &ApiCaller, need: Need) -> Result<Allowance, Refusal> {
    let (app, now) = (info.app(), info.now);
    match caller {
        ApiCaller::Token(admission) => gate::pass(app, admission, need, now).await,
        // Boxed, so that it takes no room in the calls of programs.
        ApiCaller::Person(viewer) => {
            let meters = Box::pin(gate::meters(app, &viewer.team, now)).await.map_err(Refusal::Failed)?;
            gate::take(app, &meters, now).await
        }
    }
}
