//! Memory that messages take on their way in: in total, and per network they come from.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::connections::site;

/// A handle; clones share what is taken.
#[derive(Clone)]
pub struct Memory(Arc<Pool>);

/// A message of up to so many bytes is a small one.
const SMALL: usize = 256 << 10;
/// One part in so many is left to small messages: large ones that come slowly keep theirs long.
const RESERVE: usize = 8;

struct Pool {
    most: usize,
    per_network: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_network: HashMap<IpAddr, usize>,
}

/// What one message takes. It is given back with the last clone: each place that holds the
/// message, or something made of it, holds one. The default is that of an operator's own
/// message, which is not counted.
#[derive(Clone, Default)]
pub struct Share(Option<Arc<Held>>);

struct Held {
    pool: Memory,
    /// Nothing for a peer that may take all of it.
    network: Option<IpAddr>,
    own: Mutex<usize>,
}

impl Memory {
    pub fn new(most: usize, per_network: usize) -> Self {
        Self(Arc::new(Pool { most, per_network, taken: Mutex::default() }))
    }

    /// For a message from `peer`. Without one it can take all there is.
    pub fn share(&self, peer: Option<IpAddr>) -> Share {
        let held = Held { pool: self.clone(), network: peer.map(site), own: Mutex::new(0) };
        Share(Some(Arc::new(held)))
    }

    /// Bytes that are taken now.
    pub fn taken(&self) -> usize {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Share {
    /// Takes `size` bytes altogether, unless that is more than there is left. Less is always
    /// possible.
    #[must_use]
    pub fn covers(&self, size: usize) -> bool {
        self.0.as_ref().is_none_or(|held| held.resize(size))
    }
}

impl Held {
    fn resize(&self, size: usize) -> bool {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self.pool.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all = taken.all - *own + size;
        let there = self.network.map(|network| {
            let there = taken.by_network.get(&network).copied().unwrap_or_default();
            (network, there - *own + size)
        });
        let most = self.pool.0.most;
        let most = if size > SMALL { most - most / RESERVE } else { most };
        let fits = all <= most && there.is_none_or(|(_, there)| there <= self.pool.0.per_network);
        if size > *own && !fits {
            return false;
        }
        taken.all = all;
        match there {
            Some((network, 0)) => drop(taken.by_network.remove(&network)),
            Some((network, there)) => drop(taken.by_network.insert(network, there)),
            None => {}
        }
        *own = size;
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn a_share_is_given_back_with_its_last_clone() {
        let memory = Memory::new(1000, 1000);
        let first = memory.share(peer("192.0.2.1"));
        let clone = first.clone();
        assert!(first.covers(600) && clone.covers(700) && !first.covers(1001));
        drop(first);
        assert_eq!(memory.taken(), 700);
        assert!(!memory.share(peer("192.0.2.2")).covers(301));
        assert!(clone.covers(100));
        assert_eq!(memory.taken(), 100);
        drop(clone);
        assert_eq!(memory.taken(), 0);
        assert!(memory.0.taken.lock().unwrap().by_network.is_empty());
    }

    #[test]
    fn large_messages_leave_room_for_small_ones() {
        let memory = Memory::new(8 << 20, 8 << 20);
        let (large, more, small) = (memory.share(None), memory.share(None), memory.share(None));
        assert!(large.covers(7 << 20) && !more.covers(SMALL + 1) && small.covers(SMALL));
    }

    #[test]
    fn no_network_takes_all_of_it() {
        let memory = Memory::new(1000, 400);
        let (one, same) = (memory.share(peer("2001:db8::1")), memory.share(peer("2001:db8:0:1::2")));
        assert!(one.covers(300) && !same.covers(200) && same.covers(100));
        let (other, operator) = (memory.share(peer("192.0.2.1")), memory.share(None));
        assert!(other.covers(400) && !other.covers(401) && operator.covers(200) && !operator.covers(201));
        assert!(Share::default().covers(usize::MAX));
    }
}
