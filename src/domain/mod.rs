//! The rules of Gatepost, as plain synchronous functions and types.
//!
//! No HTTP, no SQL, no async, and no clock or randomness of its own: both are arguments (see
//! [`actor::Actor`]). Three areas: [`people`], [`access`] and [`mailroom`].

pub mod access;
pub mod actor;
pub mod characters;
pub mod clock;
pub mod entropy;
pub mod error;
pub mod jobs;
pub mod lists;
pub mod mailroom;
pub mod names;
pub mod network;
mod nouns;
pub mod people;
pub mod sealing;
pub mod search;
pub mod text;

pub use crate::store::Tx;
pub use crate::store::columns::Timestamp;
pub use crate::store::ids::{PublicId, RequestId, Room};
pub use error::{Error, FieldError, Result};
