//! The public API: one file a resource, all behind [`authenticate`].

mod accept;
mod aliases;
mod answer;
mod api_keys;
mod authenticate;
mod authorize;
pub mod caller;
pub mod codes;
mod contacts;
mod describe;
mod dialect;
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
mod mount;
pub mod openapi;
mod paging;
mod resource;
mod route;
mod team;

use actix_web::http::Method;

pub use authenticate::{authenticate, authenticate_session, is_api_call};
pub use dialect::{DIALECTS, Dialect, V1};
pub use error::ApiError;
pub use mount::{for_pages, for_programs, is_authenticated, nothing_else};
pub use route::{At, Op};

/// Every operation of every dialect, for those who list or test them.
pub fn operations() -> impl Iterator<Item = (String, Method, Op)> {
    let of = |base: &'static str, At { path, operations, .. }: At| {
        operations.into_iter().map(move |(method, op)| (format!("{base}{path}"), method, op))
    };
    let at = |dialect: &'static Dialect| (dialect.routes)().into_iter().map(move |at| (dialect.base, at));
    DIALECTS.into_iter().flat_map(at).flat_map(move |(base, at)| of(base, at))
}

/// The routes of version 1, in the order of the reference.
fn v1() -> Vec<At> {
    let all = [
        me::routes(),
        messages::routes(),
        domains::routes(),
        aliases::routes(),
        contacts::routes(),
        team::routes(),
        api_keys::routes(),
    ];
    all.into_iter().flatten().collect()
}
