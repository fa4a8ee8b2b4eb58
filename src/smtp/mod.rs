//! Receives mail by SMTP and LMTP. The only folder that names `smtp_proto`.
//!
//! [`listener`] accepts connections within limits; [`session`] runs the commands of both protocols;
//! [`wire`] reads and writes lines under timeouts; [`data`] finds the end of a message; [`tls`] is
//! STARTTLS.
//!
//! A 250 after DATA means that the message is committed. If an outcome can't be decided now, the reply is
//! 4xx, so that the sender keeps the mail and tries again; the store recognizes duplicates.

mod command;
mod data;
mod limits;
mod listener;
mod outcomes;
mod protocol;
mod reply;
mod session;
mod session_limits;
mod tls;
mod transaction;
mod wire;

pub use limits::Limits;
pub use listener::{Listeners, MailServer};
pub use tls::Tls;
