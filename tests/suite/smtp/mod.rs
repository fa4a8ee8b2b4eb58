//! Mail over real sockets: what is said, what is refused, what is kept.

mod authentication;
mod conversation;
mod limits;
mod smuggling;
