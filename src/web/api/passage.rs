//! From the router to a route's handler: whether the caller may call this, and has a call
//! left. It lies behind the router because only the route knows what it needs.

use std::cell::Cell;
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::http::Method;

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

/// Returns when the caller may go on.
///
/// # Errors
/// Why not, as the caller is told.
pub async fn pass(request: &HttpRequest, need: Need) -> Result<(), ApiError> {
    let info = request::of(request);
    let Some(entered) = info.entered.get() else {
        return match *request.method() {
            // The door lets it through as nobody's.
            Method::OPTIONS => Ok(()),
            _ => Err(ApiError::server_error("a route of the API stands outside its door")),
        };
    };
    let taken = take(&info, &entered.caller, need).await;
    let took = entered.began.elapsed();
    let (admitted, allowance) = match &taken {
        Ok(allowance) => (true, Some(*allowance)),
        Err(refusal) => (false, refusal.allowance()),
    };
    entered.passage.set(Passage { admitted, allowance, took });
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
