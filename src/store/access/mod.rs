//! Rows of access: tokens, the activity log, usage counts and idempotent responses.

pub mod activity;
pub mod calls;
pub mod idempotency;
pub mod journal;
pub mod journal_file;
pub mod leases;
pub mod retention;
pub mod tokens;
pub mod usage;
pub mod uses;
