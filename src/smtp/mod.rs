//! Where mail comes in: SMTP and LMTP on a socket. The only folder that names `smtp_proto`.
//!
//! [`listener`] counts connections and turns away what is too many; [`session`] speaks, the
//! same code for both protocols; [`wire`] is lines and octets under time-outs; [`data`] finds
//! the end of a message and nothing else that looks like one; [`tls`] is STARTTLS.
//!
//! A 250 after DATA means that the message is committed. Whatever cannot be decided for good
//! is answered 4xx, so that the sender keeps the mail and tries again; that it may then come
//! twice is no harm, the store knows it again.

mod data;
mod guesses;
mod limits;
mod listener;
mod outcomes;
mod reply;
mod session;
mod session_limits;
mod tls;
mod transaction;
mod wire;

pub use limits::Limits;
pub use listener::{Bound, MailServer};
pub use tls::Tls;
