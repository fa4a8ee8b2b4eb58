//! Pages of access: the Developer page and the activity log.

pub mod activity;
pub mod api_switch;
pub mod cap;
pub mod developer;
pub mod docs;
pub mod reveal;
pub mod scopes;
pub mod team_key;
pub mod token_list;
pub mod tokens;
pub mod usage;
