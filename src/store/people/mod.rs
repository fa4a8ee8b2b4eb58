//! Rows of people: accounts, their teams and their sessions.

pub(crate) mod attempts;
pub(crate) mod deleted_teams;
pub(crate) mod invitations;
pub(crate) mod members;
pub(crate) mod sessions;
pub(crate) mod teams;
pub(crate) mod users;
