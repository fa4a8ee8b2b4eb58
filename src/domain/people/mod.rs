//! People: who they are, how they sign in, and their teams.

pub mod browsers;
pub mod deleted_teams;
pub mod invitations;
pub mod members;
pub mod passwords;
pub mod roles;
pub mod sessions;
pub mod sign_in;
pub mod teams;
pub mod users;
