//! Rows of access: tokens, the record of who called and who changed what, and what was
//! answered to who asks again.

pub mod activity;
pub mod calls;
pub mod idempotency;
pub mod journal;
pub mod leases;
pub mod retention;
pub mod tokens;
pub mod usage;
pub mod uses;
