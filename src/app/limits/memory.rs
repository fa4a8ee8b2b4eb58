//! Limits the memory of incoming messages, in total and per network.

use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use super::in_use::{InUse, Reservation};
use crate::domain::network::site;

#[derive(Clone)]
pub struct Memory {
    in_use: InUse<IpAddr>,
    total: usize,
    per_network: usize,
}

/// The maximum size of a small message, in bytes.
const SMALL: usize = 256 << 10;
/// One eighth is reserved for small messages, because slow large messages take memory for a long time.
const RESERVE: usize = 8;

/// The memory of one message. Everything that contains the message or parts of it has a clone, and the last clone
/// releases the memory. The default is for an operator's message, which is not counted.
#[derive(Clone, Default)]
pub struct MessageMemory(Option<Arc<Share>>);

struct Share {
    total: usize,
    hold: Mutex<Reservation<IpAddr>>,
}

impl Memory {
    pub fn new(total: usize, per_network: usize) -> Self {
        Self { in_use: InUse::default(), total, per_network }
    }

    /// Starts to count a message from `peer`. Without a peer, only the total limit applies.
    pub fn for_message(&self, peer: Option<IpAddr>) -> MessageMemory {
        let keys = peer.map(|peer| (site(peer), self.per_network)).into_iter().collect();
        let hold = Mutex::new(self.in_use.reserve_nothing(keys));
        MessageMemory(Some(Arc::new(Share { total: self.total, hold })))
    }

    #[cfg(test)]
    pub fn taken(&self) -> usize {
        self.in_use.total()
    }
}

impl MessageMemory {
    /// Resizes the reservation to this many bytes, or returns false if there is no room.
    #[must_use]
    pub fn try_resize(&self, size: usize) -> bool {
        self.0.as_ref().is_none_or(|share| share.resize(size))
    }
}

impl Share {
    fn resize(&self, size: usize) -> bool {
        let total = if size > SMALL { self.total - self.total / RESERVE } else { self.total };
        self.hold.lock().resize(size, total).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn memory_is_released_with_the_last_clone() {
        let memory = Memory::new(1000, 1000);
        let first = memory.for_message(peer("192.0.2.1"));
        let clone = first.clone();
        assert!(first.try_resize(600) && clone.try_resize(700) && !first.try_resize(1001));
        drop(first);
        assert_eq!(memory.taken(), 700);
        assert!(!memory.for_message(peer("192.0.2.2")).try_resize(301));
        assert!(clone.try_resize(100));
        assert_eq!(memory.taken(), 100);
        drop(clone);
        assert_eq!(memory.taken(), 0);
    }

    #[test]
    fn large_messages_leave_room_for_small_ones() {
        let memory = Memory::new(8 << 20, 8 << 20);
        let (large, more, small) =
            (memory.for_message(None), memory.for_message(None), memory.for_message(None));
        assert!(large.try_resize(7 << 20) && !more.try_resize(SMALL + 1) && small.try_resize(SMALL));
    }

    #[test]
    fn one_network_cannot_use_all_memory() {
        let memory = Memory::new(1000, 400);
        let (one, same) =
            (memory.for_message(peer("2001:db8::1")), memory.for_message(peer("2001:db8:0:1::2")));
        assert!(one.try_resize(300) && !same.try_resize(200) && same.try_resize(100));
        let (other, operator) = (memory.for_message(peer("192.0.2.1")), memory.for_message(None));
        assert!(
            other.try_resize(400)
                && !other.try_resize(401)
                && operator.try_resize(200)
                && !operator.try_resize(201)
        );
        assert!(MessageMemory::default().try_resize(usize::MAX));
    }
}
