//! Pages of the mailroom.

pub mod alias;
pub mod aliases;
pub mod contact;
pub mod contacts;
pub mod domain;
pub mod domains;
pub mod inbox;
pub mod message;
mod question;
