//! The limits of one peer, and of all peers together.

use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest message, in bytes.
    pub size: usize,
    /// Bytes of messages on their way to the store, in all sessions.
    pub memory: usize,
    /// The same from one network.
    pub network_memory: usize,
    /// Recipients of one message.
    pub recipients: usize,
    /// SMTP sessions at once.
    pub connections: usize,
    /// From one address; an IPv6 /64 counts as one, and a /48 as four.
    pub per_ip: usize,
    /// LMTP sessions at once, all from the operator's own server.
    pub lmtp_connections: usize,
    /// When there is no room, a session that has been idle for this long is closed.
    pub idle: Duration,
    /// Refused commands in a session.
    pub errors: u32,
    /// Commands that do not send a message, before the first message and between two.
    pub idle_commands: u32,
    /// Unknown recipients in a session.
    pub unknown: u32,
    /// The same from one network in an hour.
    pub unknown_an_hour: u32,
    /// From one accepted message to the next, or to the end of the session.
    pub session: Duration,
    /// The wait for a command: five minutes by RFC 5321, section 4.5.3.2.7.
    pub command: Duration,
    /// From DATA to the end of the message.
    pub message: Duration,
    /// How long open sessions may continue after the process was asked to stop.
    pub closing_timeout: Duration,
}

impl Limits {
    pub fn for_size(size: usize) -> Self {
        Self {
            size,
            memory: size.saturating_mul(4).max(96 << 20),
            network_memory: size.saturating_mul(4).max(96 << 20) / 2,
            recipients: 100,
            connections: 1000,
            per_ip: 100,
            lmtp_connections: 100,
            idle: Duration::from_secs(10),
            errors: 20,
            idle_commands: 100,
            unknown: 20,
            unknown_an_hour: 300,
            session: Duration::from_secs(300),
            command: Duration::from_secs(300),
            message: Duration::from_secs(600),
            closing_timeout: Duration::from_secs(25),
        }
    }
}
