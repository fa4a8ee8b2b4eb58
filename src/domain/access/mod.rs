//! API access: tokens, the API switch, plans, and the activity log.

pub mod activity;
pub(crate) mod activity_mode;
pub mod api_switch;
pub(crate) mod epochs;
pub mod idempotency;
mod periods;
pub mod plans;
pub(crate) mod retention;
pub mod scopes;
pub mod secret;
pub mod team_key;
pub mod tokens;
pub mod usage;
