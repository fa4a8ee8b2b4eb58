//! What Gatepost means: plain synchronous functions and types.
//!
//! No HTTP, no SQL, no async, and no clock or chance of its own: both arrive as arguments
//! (see [`by::By`]). Two areas: [`people`] and [`access`].

pub mod access;
pub mod by;
pub mod clock;
pub mod entropy;
pub mod error;
pub mod people;
pub mod sealing;
pub mod text;

pub use crate::store::columns::Timestamp;
pub use crate::store::ids::RequestId;
pub use error::{Error, FieldError, Result};
