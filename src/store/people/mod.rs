//! Rows of people: who they are, the teams they are in and how they are signed in.

pub mod attempts;
pub mod invitations;
pub mod members;
pub mod sessions;
pub mod teams;
pub mod users;
