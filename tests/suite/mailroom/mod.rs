//! Tests of mail in the domain and the app, without sockets.

mod aliases;
mod contacts;
mod conversations;
mod delivering;
mod domains;
mod duplicates;
mod folders;
mod hostile;
mod linear;
mod messages;
mod quota;
pub mod receiving;
mod refused;
mod routing;
mod searching;
pub mod steps;
mod tags;
