//! Limits the hourly mail from each network.

use std::net::IpAddr;

use super::App;
use super::limits::hourly::{Count, Hourly};
use crate::config::HourlyLimits;
use crate::domain::Timestamp;
use crate::domain::network::network;

/// Some 8 MB.
const MAX_NETWORKS: usize = 100_000;

pub(super) struct Senders(Hourly<Sent>);

#[derive(Clone, Copy, Default)]
struct Sent {
    copies: u64,
    bytes: u64,
    is_logged: bool,
}

impl Count for Sent {
    fn weight(&self) -> u64 {
        self.bytes
    }
}

impl Sent {
    fn reaches(&self, limits: HourlyLimits) -> bool {
        limits.messages.is_some_and(|max| self.copies >= max)
            || limits.bytes.is_some_and(|max| self.bytes >= max)
    }
}

impl App {
    pub fn is_over_hourly_limit(&self, ip: IpAddr) -> bool {
        self.0.senders.are_over(self.config().mail.hourly, ip, self.now())
    }

    /// Counts a message and its copies, unless its network is over the limit. A single message may exceed the limit,
    /// because otherwise a large one to several recipients would never be accepted.
    pub(super) fn may_send(&self, ip: IpAddr, copies: u64, size: usize) -> bool {
        self.0.senders.admit(self.config().mail.hourly, ip, self.now(), (copies, size as u64))
    }
}

impl Senders {
    fn are_over(&self, limits: HourlyLimits, ip: IpAddr, now: Timestamp) -> bool {
        self.0.get(network(ip), now).reaches(limits)
    }

    fn admit(&self, limits: HourlyLimits, ip: IpAddr, now: Timestamp, (copies, size): (u64, u64)) -> bool {
        let ip = network(ip);
        self.0.update(ip, now, |sent| {
            if sent.reaches(limits) {
                if !std::mem::replace(&mut sent.is_logged, true) {
                    tracing::warn!(%ip, "a network has reached GATEPOST_SMTP_HOURLY_MESSAGES or GATEPOST_SMTP_HOURLY_SIZE; its mail is deferred");
                }
                return false;
            }
            sent.copies += copies;
            sent.bytes = sent.bytes.saturating_add(size.saturating_mul(copies));
            true
        })
    }
}

impl Default for Senders {
    fn default() -> Self {
        Self(Hourly::new(MAX_NETWORKS))
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    const LIMITS: HourlyLimits = HourlyLimits { messages: Some(3), bytes: Some(1000) };
    const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_over_its_limit_waits_for_its_next_hour() {
        let senders = Senders::default();
        let send = |from: &str, now, copies| senders.admit(LIMITS, ip(from), now, (copies, 10));
        assert!(send("192.0.2.1", START, 1) && send("::ffff:192.0.2.1", START, 2));
        let later = START.plus(Duration::minutes(59));
        assert!(!send("192.0.2.1", later, 1) && senders.are_over(LIMITS, ip("192.0.2.1"), later));
        assert!(send("192.0.2.2", later, 3) && !senders.are_over(LIMITS, ip("192.0.2.3"), later));
        assert!(
            send("2001:db8::1", later, 3)
                && !send("2001:db8::2", later, 1)
                && send("2001:db8:0:1::", later, 1)
        );
        let next = START.plus(Duration::HOUR);
        assert!(!senders.are_over(LIMITS, ip("192.0.2.1"), next) && send("192.0.2.1", next, 1));
    }

    #[test]
    fn one_large_message_per_hour_is_accepted() {
        let senders = Senders::default();
        let send = |size| senders.admit(LIMITS, ip("192.0.2.1"), START, (1, size));
        assert!(send(u64::MAX) && !send(1));
        let none = HourlyLimits { messages: None, bytes: None };
        assert!(senders.admit(none, ip("192.0.2.1"), START, (1, 1)));
    }
}
