//! Rows of access: tokens, and the record of who called and who changed what.

pub mod activity;
pub mod journal;
pub mod leases;
pub mod retention;
pub mod tokens;
pub mod usage;
