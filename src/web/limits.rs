//! Limits of the web server, per client and in total.

use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Concurrent connections. Each buffers up to 160 KiB of received data.
    pub connections: usize,
    /// Concurrent connections of one address. An IPv6 /64 network counts as one; trusted proxies are
    /// exempt.
    pub per_ip: usize,
    /// When all connections are in use, one that has been idle this long is closed.
    pub idle: Duration,
    /// The time for a request's header, and the minimum of every deadline that depends on a size.
    pub grace: Duration,
    /// The maximum time for a request's body.
    pub max_body_time: Duration,
    /// The minimum of bytes per second that a client has to send or read.
    pub rate: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            per_ip: 1024,
            idle: Duration::from_millis(500),
            grace: Duration::from_secs(15),
            max_body_time: Duration::from_secs(60),
            rate: 8 << 10,
        }
    }
}

impl Limits {
    pub fn time_for(&self, bytes: u64) -> Duration {
        Duration::from_millis(bytes.saturating_mul(1000) / u64::from(self.rate.max(1)))
    }

    pub fn time_for_body(&self, bytes: u64) -> Duration {
        (self.grace + self.time_for(bytes)).min(self.max_body_time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_of_a_body_grows_with_its_size_up_to_a_maximum() {
        let limits = Limits::default();
        for (bytes, seconds) in [(0, 15), (8 << 10, 16), (64 << 10, 23), (1 << 40, 60), (u64::MAX, 60)] {
            assert_eq!(limits.time_for_body(bytes).as_secs(), seconds, "{bytes}");
        }
    }
}
