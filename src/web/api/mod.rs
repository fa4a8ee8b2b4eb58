//! The public API, `/api/v1`: one file a resource. [`door`] stands before all of it.

mod api_keys;
pub mod caller;
mod door;
mod error;
mod json;
mod limits;
mod me;
pub mod openapi;
mod paging;
mod passage;
mod route;
mod team;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig};

use crate::domain::access::scopes::{Need, Scope};
pub use door::door;
pub use error::ApiError;
use route::{At, at};

/// Every address within `/api/v1`, and what is needed there.
fn resources() -> Vec<At> {
    vec![
        at("/me").get(Need::AnyToken, me::show),
        at("/me/token").delete(Need::AnyToken, me::revoke),
        at("/team").get(Scope::TeamRead, team::show),
        at("/team/people").get(Scope::TeamRead, team::people),
        at("/api-keys").get(Scope::TokensRead, api_keys::list).post(Need::Person, api_keys::create),
        at("/api-keys/{id}").patch(Need::Person, api_keys::rename).delete(Need::Person, api_keys::revoke),
    ]
}

pub fn routes(services: &mut ServiceConfig) {
    services.app_data(web::PathConfig::default().error_handler(|_, _| ApiError::not_found().into()));
    for resource in resources() {
        services.service(resource);
    }
    let passage =
        |request: ServiceRequest, next: Next<BoxBody>| passage::passage(request, next, Need::AnyToken);
    let nothing = web::to(async || Err::<String, _>(ApiError::not_found()));
    services.default_service(nothing.wrap(from_fn(passage)));
}

/// The need of each route, for whoever describes them.
pub fn needs() -> impl Iterator<Item = (&'static str, Method, Need)> {
    let of = |each: At| each.needs.into_iter().map(move |(method, need)| (each.path, method, need));
    resources().into_iter().flat_map(of)
}
