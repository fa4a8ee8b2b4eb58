//! The rules of Gatepost, as plain synchronous functions and types.
//!
//! No HTTP, no SQL, no async, and no clock or randomness of its own: both are arguments (see
//! [`actor::Actor`]). There are three areas: [`people`], [`access`] and [`mailroom`].

pub mod access;
pub mod actor;
pub(crate) mod characters;
pub mod clock;
pub mod entropy;
pub(crate) mod error;
pub mod home;
pub mod jobs;
pub mod lists;
pub mod mailroom;
pub(crate) mod names;
pub(crate) mod network;
pub mod nouns;
pub mod people;
pub mod sealing;
pub mod search;
pub mod team_search;
pub mod text;

pub(crate) use crate::store::Tx;
pub use crate::store::columns::Timestamp;
pub(crate) use crate::store::ids::{PublicId, RequestId, Room};
pub(crate) use error::FieldError;
pub use error::{Error, Result};
