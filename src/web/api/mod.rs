//! The public API, with one file per resource. [`authenticate`] protects every route.

mod accept;
mod aliases;
mod api_keys;
mod authenticate;
mod authorize;
pub(crate) mod caller;
pub mod codes;
mod contacts;
mod describe;
mod dialect;
mod dialects;
mod domains;
mod downloads;
mod error;
mod etag;
mod field_errors;
mod idempotency;
mod json;
mod limits;
mod lists;
mod me;
mod message;
mod messages;
mod mount;
pub mod openapi;
mod pagination;
mod plain;
mod resource;
mod response;
mod route;
mod team;

pub(crate) use authenticate::{authenticate, authenticate_session, is_api_call};
pub(crate) use dialects::DIALECTS;
pub use dialects::{ids, operations};
pub(crate) use error::ApiError;
pub(crate) use mount::{for_sessions, for_tokens, is_authenticated, nothing_else};
pub use route::Op;

/// The forms in which the API shows rows, for the export of a team.
pub(crate) mod forms {
    pub(crate) use super::aliases::Alias;
    pub(crate) use super::api_keys::ApiKey;
    pub(crate) use super::contacts::Contact;
    pub(crate) use super::domains::Domain;
    pub(crate) use super::message::MessageRow;
    pub(crate) use super::resource::{Context, Form};
    pub(crate) use super::team::{Person, Team};
}

/// The routes of `/api/v1`, in the order of the reference.
fn v1() -> Vec<route::At> {
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
