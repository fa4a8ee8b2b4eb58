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
use crate::gate::{Allowance, Refusal};
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
        // Boxed, so that it takes no room in the calls of tokens.
        ApiCaller::Person(viewer) => Box::pin(gate.count_person(&viewer.team, now)).await,
    }
}
