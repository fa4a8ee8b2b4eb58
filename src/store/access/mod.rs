//! Rows of API access: tokens, the activity log, usage counts and idempotent responses.

pub(crate) mod activity;
pub(crate) mod calls;
pub(crate) mod idempotency;
pub(crate) mod journal;
pub(crate) mod journal_file;
pub(crate) mod leases;
pub(crate) mod retention;
pub(crate) mod tokens;
pub(crate) mod usage;
pub(crate) mod uses;
