use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Limits {
    /// The maximum size of a message, in bytes.
    pub size: usize,
    /// Bytes of incoming messages in memory, in all sessions.
    pub memory: usize,
    /// Bytes of incoming messages in memory, from one network.
    pub network_memory: usize,
    /// Recipients per message.
    pub recipients: usize,
    /// Concurrent SMTP sessions.
    pub connections: usize,
    /// Concurrent SMTP sessions from one IPv4 address or IPv6 /64; an IPv6 /48 can have four times as
    /// many.
    pub per_ip: usize,
    /// Concurrent LMTP sessions, all from the operator's own server.
    pub lmtp_connections: usize,
    /// When all sessions are in use, one that has been idle for this long is closed.
    pub idle: Duration,
    /// Refused commands per session.
    pub errors: u32,
    /// Commands that send no message, before each message.
    pub idle_commands: u32,
    /// Unknown recipients per session.
    pub unknown: u32,
    /// Unknown recipients per network and hour.
    pub unknown_an_hour: u32,
    /// The maximum time from one accepted message to the next or to the end of the session.
    pub session: Duration,
    /// The timeout for a command, five minutes by RFC 5321, section 4.5.3.2.7.
    pub command: Duration,
    /// The maximum time from DATA to the end of the message.
    pub message: Duration,
    /// How long open sessions may continue when the process is stopping.
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
