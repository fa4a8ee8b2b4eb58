//! How much mail each network sent in its current hour. A network that exceeds the limits has to
//! wait for the next hour; mail from other networks is not affected.
//!
//! Counted in memory: a restart resets it, and each instance counts on its own.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::Duration;

use super::App;
use super::connections::network;
use crate::config::Hourly;
use crate::domain::Timestamp;

/// Networks that are counted at once: some 8 MB. Beyond that, those that sent least are dropped.
const NETWORKS: usize = 100_000;

#[derive(Default)]
pub(super) struct Senders(Mutex<HashMap<IpAddr, Sent>>);

#[derive(Clone, Copy)]
struct Sent {
    since: Timestamp,
    copies: u64,
    bytes: u64,
    is_logged: bool,
}

impl App {
    /// Whether a sender has to wait for the next hour.
    pub fn has_sent_enough(&self, ip: IpAddr) -> bool {
        self.0.senders.has_sent_enough(self.config().mail.hourly, ip, self.now())
    }

    /// Counts a message of this size and number of copies, unless its sender has to wait. One
    /// message can exceed the limits: with several recipients, a large one never fits otherwise.
    pub(super) fn may_send(&self, ip: IpAddr, copies: u64, size: usize) -> bool {
        self.0.senders.admit(self.config().mail.hourly, ip, self.now(), (copies, size as u64))
    }
}

impl Senders {
    fn has_sent_enough(&self, limits: Hourly, ip: IpAddr, now: Timestamp) -> bool {
        self.sent().get(&network(ip)).is_some_and(|sent| sent.is_within(now) && sent.is_enough(limits))
    }

    fn admit(&self, limits: Hourly, ip: IpAddr, now: Timestamp, (copies, size): (u64, u64)) -> bool {
        let mut senders = self.sent();
        if senders.len() >= NETWORKS {
            make_room(&mut senders, now);
        }
        let ip = network(ip);
        let new = Sent { since: now, copies: 0, bytes: 0, is_logged: false };
        let sent = senders.entry(ip).or_insert(new);
        if !sent.is_within(now) {
            *sent = new;
        }
        if sent.is_enough(limits) {
            if !std::mem::replace(&mut sent.is_logged, true) {
                tracing::warn!(%ip, "this network has sent as much mail in an hour as GATEPOST_SMTP_HOURLY_MESSAGES and GATEPOST_SMTP_HOURLY_SIZE allow; it is asked to wait");
            }
            return false;
        }
        sent.copies += copies;
        sent.bytes = sent.bytes.saturating_add(size.saturating_mul(copies));
        true
    }

    fn sent(&self) -> MutexGuard<'_, HashMap<IpAddr, Sent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sent {
    /// Also false when the clock was set back.
    fn is_within(&self, now: Timestamp) -> bool {
        now.since(self.since) < Duration::HOUR && now >= self.since
    }

    fn is_enough(&self, limits: Hourly) -> bool {
        limits.messages.is_some_and(|most| self.copies >= most)
            || limits.bytes.is_some_and(|most| self.bytes >= most)
    }
}

/// Drops the hours that are over, and then the half that sent least.
fn make_room(senders: &mut HashMap<IpAddr, Sent>, now: Timestamp) {
    senders.retain(|_, sent| sent.is_within(now));
    if senders.len() > NETWORKS / 2 {
        let mut bytes: Vec<u64> = senders.values().map(|sent| sent.bytes).collect();
        let middle = bytes.len() / 2;
        let (_, &mut middle, _) = bytes.select_nth_unstable(middle);
        senders.retain(|_, sent| sent.bytes > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Hourly = Hourly { messages: Some(3), bytes: Some(1000) };
    const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_waits_for_its_next_hour_and_others_do_not() {
        let senders = Senders::default();
        let send = |from: &str, now, copies| senders.admit(LIMITS, ip(from), now, (copies, 10));
        assert!(send("192.0.2.1", START, 1) && send("::ffff:192.0.2.1", START, 2));
        let later = START.plus(Duration::minutes(59));
        assert!(!send("192.0.2.1", later, 1) && senders.has_sent_enough(LIMITS, ip("192.0.2.1"), later));
        assert!(send("192.0.2.2", later, 3) && !senders.has_sent_enough(LIMITS, ip("192.0.2.3"), later));
        assert!(
            send("2001:db8::1", later, 3)
                && !send("2001:db8::2", later, 1)
                && send("2001:db8:0:1::", later, 1)
        );
        let next = START.plus(Duration::HOUR);
        assert!(!senders.has_sent_enough(LIMITS, ip("192.0.2.1"), next) && send("192.0.2.1", next, 1));
        assert!(send("192.0.2.2", START, 1), "the clock was set back");
    }

    #[test]
    fn one_large_message_an_hour_is_taken() {
        let senders = Senders::default();
        let send = |size| senders.admit(LIMITS, ip("192.0.2.1"), START, (1, size));
        assert!(send(u64::MAX) && !send(1));
        let none = Hourly { messages: None, bytes: None };
        assert!(senders.admit(none, ip("192.0.2.1"), START, (1, 1)));
    }

    #[test]
    fn the_memory_for_them_is_bounded_and_those_who_sent_much_stay_in_it() {
        let senders = Senders::default();
        let of = |number: u32| IpAddr::from(number.to_be_bytes());
        assert!(senders.admit(LIMITS, of(0), START, (1, 5000)));
        for number in 1..3 * NETWORKS as u32 {
            senders.admit(LIMITS, of(number), START, (1, 10));
        }
        assert!(senders.sent().len() <= NETWORKS);
        assert!(senders.has_sent_enough(LIMITS, of(0), START));
    }
}
