//! Mail over real sockets: what is said, what is refused, what is kept.

mod authentication;
mod conversation;
mod crash;
mod domains;
mod floods;
mod hostile;
mod limits;
mod memory;
mod programs;
mod smuggling;
mod tls;
mod trouble;
