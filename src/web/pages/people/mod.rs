//! Pages of people: setting up, signing in, the team, the account.

pub mod account;
pub mod agent;
pub mod invitations;
mod left_behind;
pub mod members;
pub mod sessions;
pub mod setup;
pub mod sign_in;
pub mod team;
pub mod transfer;
