//! From the router to a route's handler: whether the caller may call this, and has a call
//! left. It lies behind the router because only the route knows what it needs.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};

use super::ApiError;
use super::caller::ApiCaller;
use crate::app::App;
use crate::domain::access::scopes::Need;
use crate::gate::{self, Allowance, Refusal};
use crate::web::request;

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

    /// What the door noted of this request.
    pub fn find(request: &HttpRequest) -> Option<Rc<Self>> {
        request.extensions().get::<Rc<Self>>().cloned()
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
    let Some(entered) = Entered::find(request.request()) else {
        return match *request.method() {
            // The door lets it through as nobody's.
            Method::OPTIONS => next.call(request).await,
            _ => Err(ApiError::server_error("a route of the API stands outside its door").into()),
        };
    };
    let passed = pass(request.request(), &entered.caller, need).await;
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

async fn pass(request: &HttpRequest, caller: &ApiCaller, need: Need) -> Result<Allowance, Refusal> {
    let app = request.app_data::<web::Data<App>>().expect("the app is registered");
    let now = request::of(request).now;
    match caller {
        ApiCaller::Token(admission) => gate::pass(app, admission, need, now).await,
        ApiCaller::Person(actor) => {
            let meters = gate::meters(app, &actor.team, now).await.map_err(Refusal::Failed)?;
            gate::take(app, &meters, now).await
        }
    }
}
