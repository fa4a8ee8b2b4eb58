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
mod team;

use actix_web::web::{self, ServiceConfig, delete, get, patch, post, resource};

pub use door::door;
pub use error::ApiError;

/// Routes within `/api/v1`. A route's allowed methods are told to whoever uses another.
pub fn routes(services: &mut ServiceConfig) {
    services
        .app_data(web::PathConfig::default().error_handler(|_, _| ApiError::not_found().into()))
        .service(only("/me", "GET").route(get().to(me::show)))
        .service(only("/me/token", "DELETE").route(delete().to(me::revoke)))
        .service(only("/team", "GET").route(get().to(team::show)))
        .service(only("/team/people", "GET").route(get().to(team::people)))
        .service(
            only("/api-keys", "GET, POST").route(get().to(api_keys::list)).route(post().to(api_keys::create)),
        )
        .service(
            only("/api-keys/{id}", "PATCH, DELETE")
                .route(patch().to(api_keys::rename))
                .route(delete().to(api_keys::revoke)),
        )
        .default_service(web::to(async || Err::<String, _>(ApiError::not_found())));
}

fn only(path: &str, allow: &'static str) -> actix_web::Resource {
    resource(path).default_service(web::to(move || async move {
        Err::<String, _>(ApiError::method_not_allowed(allow))
    }))
}
