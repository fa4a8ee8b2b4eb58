//! Rows of people: who they are, the teams they are in and how they are signed in.

pub(crate) mod attempts;
pub(crate) mod invitations;
pub(crate) mod members;
pub(crate) mod sessions;
pub(crate) mod teams;
pub(crate) mod users;
