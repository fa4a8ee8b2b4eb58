//! Tests of mail over real sockets.

mod authentication;
mod conversation;
mod corpus;
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
