//! From the router to a route's handler: whether the caller may call this, and has a call
//! left. It lies behind the router because only the route knows what it needs.

use std::cell::Cell;
use std::time::{Duration, Instant};

use actix_web::Error;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;

use super::ApiError;
use super::caller::ApiCaller;
use crate::domain::access::scopes::Need;
use crate::gate::{self, Allowance, Refusal};
use crate::web::request::{self, RequestInfo};

/// Who came in by the door, since when they are here, and what came of their passage.
pub struct Entered {
    pub caller: ApiCaller,
    began: Instant,
    pub passage: Cell<Passage>,
}

impl Entered {
    pub fn new(caller: ApiCaller, began: Instant) -> Self {
        Self { caller, began, passage: Cell::default() }
    }
}

/// What came of it, for the door to tell and to record.
#[derive(Clone, Copy, Default)]
pub struct Passage {
    pub admitted: bool,
    /// What is left of the caller's limit.
    pub allowance: Option<Allowance>,
    /// How long it took from the door on.
    pub took: Duration,
}

pub async fn passage(
    request: ServiceRequest,
    next: Next<BoxBody>,
    need: Need,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let info = request::of(request.request());
    let Some(entered) = info.entered.get() else {
        return match *request.method() {
            // The door lets it through as nobody's.
            Method::OPTIONS => next.call(request).await,
            _ => Err(ApiError::server_error("a route of the API stands outside its door").into()),
        };
    };
    let passed = pass(&info, &entered.caller, need).await;
    let took = entered.began.elapsed();
    match passed {
        Ok(allowance) => {
            entered.passage.set(Passage { admitted: true, allowance: Some(allowance), took });
            next.call(request).await
        }
        Err(refusal) => {
            entered.passage.set(Passage { admitted: false, allowance: refusal.allowance(), took });
            Ok(ServiceResponse::from_err(ApiError::from(refusal), request.into_parts().0))
        }
    }
}

async fn pass(info: &RequestInfo, caller: &ApiCaller, need: Need) -> Result<Allowance, Refusal> {
    let (app, now) = (info.app(), info.now);
    match caller {
        ApiCaller::Token(admission) => gate::pass(app, admission, need, now).await,
        ApiCaller::Person(actor) => {
            let meters = gate::meters(app, &actor.team, now).await.map_err(Refusal::Failed)?;
            gate::take(app, &meters, now).await
        }
    }
}
