//! What the clients of the web server may take, one by one and all together.

use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once. Each holds up to some 160 KiB of what its client has sent.
    pub connections: usize,
    /// Those from one address; an IPv6 network of /64 counts as one. Trusted
    /// proxies are exempt: all clients come through them.
    pub per_ip: usize,
    /// When all are taken, a connection whose client did nothing for so long gives way.
    pub idle: Duration,
    /// How long a request's head may take, and the start of every deadline that depends on a size.
    pub grace: Duration,
    /// The longest that a request's body may take.
    pub longest: Duration,
    /// Bytes a second that a client has to send of a body, and to read of a response.
    pub rate: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            per_ip: 1024,
            idle: Duration::from_millis(500),
            grace: Duration::from_secs(15),
            longest: Duration::from_secs(60),
            rate: 8 << 10,
        }
    }
}

impl Limits {
    /// How long this many bytes take at the lowest rate.
    pub fn time_for(&self, bytes: u64) -> Duration {
        Duration::from_millis(bytes.saturating_mul(1000) / u64::from(self.rate.max(1)))
    }

    /// How long a body of this size may take.
    pub fn time_for_body(&self, bytes: u64) -> Duration {
        (self.grace + self.time_for(bytes)).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_as_long_as_it_is_large_but_never_forever() {
        let limits = Limits::default();
        for (bytes, seconds) in [(0, 15), (8 << 10, 16), (64 << 10, 23), (1 << 40, 60), (u64::MAX, 60)] {
            assert_eq!(limits.time_for_body(bytes).as_secs(), seconds, "{bytes}");
        }
    }
}
