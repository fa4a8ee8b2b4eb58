//! The gate: what every API call passes. Verify → (limit) → record. It knows no HTTP.
//!
//! [`admit`] says whether a presented token may call now and on whose behalf; [`Recorder`]
//! writes what came of it, and an answer leaves only when its record is on disk.

mod record;
mod verify;

pub use record::{Call, Caller, NotRecorded, Recorder};
pub use verify::{Admission, Closed, Refusal, Suspect, admit, admits};
