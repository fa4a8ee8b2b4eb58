//! What one peer, and all of them together, may ask for.

use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest message, in bytes.
    pub size: usize,
    /// Bytes of messages on their way to the store, over all sessions.
    pub memory: usize,
    /// Those from one network.
    pub network_memory: usize,
    /// Recipients of one message.
    pub recipients: usize,
    /// Sessions by SMTP at once.
    pub connections: usize,
    /// Those from one address; an IPv6 network of /64 counts as one, and one of /48 as four.
    pub per_ip: usize,
    /// Sessions by LMTP at once, all from the operator's own server.
    pub lmtp_connections: usize,
    /// When all are taken, a session of which nothing came for so long gives way.
    pub idle: Duration,
    /// Commands of a session that were refused.
    pub errors: u32,
    /// Commands that lead to no message, before the first message and between two.
    pub idle_commands: u32,
    /// Unknown recipients of a session.
    pub unknown: u32,
    /// The same of a network in an hour.
    pub unknown_an_hour: u32,
    /// From one accepted message to the next, or to the end of the session.
    pub session: Duration,
    /// The wait for a command, which RFC 5321, section 4.5.3.2.7, wants to be five minutes.
    pub command: Duration,
    /// From DATA to its end, however slowly that comes.
    pub message: Duration,
    /// How long sessions under way may go on after the process was asked to end.
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
