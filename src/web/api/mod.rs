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
mod resource;
mod route;
mod team;

pub use authenticate::{authenticate, authenticate_session, is_api_call};
pub use dialects::{DIALECTS, ids, operations};
pub use error::ApiError;
pub use mount::{for_pages, for_programs, is_authenticated, nothing_else};
pub use route::Op;
