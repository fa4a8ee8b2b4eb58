//! The public API, `/api/v1`: one file a resource, all behind [`authenticate`].

mod accept;
mod aliases;
mod api_keys;
mod authenticate;
mod authorize;
pub mod caller;
pub mod codes;
mod contacts;
mod domains;
mod downloads;
mod error;
mod etag;
mod field_errors;
mod idempotency;
mod json;
mod limits;
mod me;
mod message;
mod messages;
pub mod openapi;
mod paging;
mod route;
mod team;

use actix_web::guard::{self, GuardContext};
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::domain::access::scopes::{Need, Scope};
pub use authenticate::{authenticate, authenticate_session, is_api_call};
pub use authorize::AuthenticatedCall;
pub use error::ApiError;
use route::At;

/// Every address within `/api/v1`, and what is needed there; `base` is what stands before them
/// where they are declared.
fn resources(base: &str) -> Vec<At> {
    let at = |path| At::new(base, path);
    vec![
        at("/me").untagged().get(Need::AnyToken, me::show),
        at("/me/token").delete(Need::AnyToken, me::revoke),
        at("/team").get(Scope::TeamRead, team::show),
        at("/team/people").get(Scope::TeamRead, team::people),
        at("/api-keys").get(Scope::TokensRead, api_keys::list).post(Need::Person, api_keys::create),
        at("/domains").get(Scope::DomainsRead, domains::list).post(Scope::DomainsWrite, domains::create),
        at("/domains/{id}")
            .get(Scope::DomainsRead, domains::show)
            .patch(Scope::DomainsWrite, domains::change)
            .delete(Scope::DomainsWrite, domains::delete),
        at("/domains/{id}/check").post(Scope::DomainsWrite, domains::check),
        at("/messages").get(Scope::MessagesRead, messages::list),
        at("/messages/{id}")
            .get(Scope::MessagesRead, messages::show)
            .patch(Scope::MessagesWrite, messages::change)
            .delete(Scope::MessagesWrite, messages::delete),
        at("/messages/{id}/raw").get(Scope::MessagesRead, downloads::raw),
        at("/messages/{id}/attachments/{attachment}").get(Scope::MessagesRead, downloads::attachment),
        at("/aliases").get(Scope::AliasesRead, aliases::list).post(Scope::AliasesWrite, aliases::create),
        at("/aliases/{id}")
            .get(Scope::AliasesRead, aliases::show)
            .patch(Scope::AliasesWrite, aliases::change)
            .delete(Scope::AliasesWrite, aliases::delete),
        at("/contacts").get(Scope::ContactsRead, contacts::list).post(Scope::ContactsWrite, contacts::create),
        at("/contacts/{id}")
            .get(Scope::ContactsRead, contacts::show)
            .patch(Scope::ContactsWrite, contacts::change)
            .delete(Scope::ContactsWrite, contacts::delete),
        at("/api-keys/{id}")
            .get(Scope::TokensRead, api_keys::show)
            .patch(Need::Person, api_keys::rename)
            .delete(Need::Person, api_keys::revoke),
    ]
}

/// Where it is.
pub const BASE: &str = "/api/v1";

/// For calls with a token, authenticated before they are routed. Declared one by one and not in a
/// scope, which would be one more layer for each call to go through.
pub fn for_programs(services: &mut ServiceConfig) {
    declare(services, BASE, |each| each.only(guard::fn_guard(is_authenticated)));
}

/// The same in a scope of their own, whose middleware knows sessions.
pub fn for_pages(services: &mut ServiceConfig) {
    declare(services, "", |each| each);
    services.configure(nothing_else);
}

fn declare(services: &mut ServiceConfig, base: &str, with: impl Fn(At) -> At) {
    for each in resources(base) {
        services.service(with(each));
    }
}

/// What a scope answers where there is nothing.
pub fn nothing_else(services: &mut ServiceConfig) {
    let nothing = async || Err::<String, _>(ApiError::not_found());
    services.default_service(web::to(route::authorized(Need::AnyToken, false, nothing)));
}

/// Whether a request was authenticated before it was routed.
pub fn is_authenticated(request: &GuardContext<'_>) -> bool {
    !caller::has_only_a_cookie(request.head().headers())
}

/// The addresses whose answers tell which state they show.
pub fn tagged() -> impl Iterator<Item = &'static str> {
    resources(BASE).into_iter().filter(|each| each.tagged).map(|each| each.path)
}

/// The need of each route, for whoever describes them.
pub fn needs() -> impl Iterator<Item = (&'static str, Method, Need)> {
    let of = |each: At| each.needs.into_iter().map(move |(method, need)| (each.path, method, need));
    resources(BASE).into_iter().flat_map(of)
}
