//! Connections that are open, in total and per network. Web and mail each count their own.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Count {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// A handle; clones share the counts.
#[derive(Clone, Default)]
pub struct Connections(Arc<Mutex<Count>>);

/// Counts one connection until it is dropped.
pub struct Seat {
    connections: Connections,
    peer: IpAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowded {
    Everywhere,
    /// From this address or network.
    There,
}

impl Connections {
    /// # Errors
    /// When `all` connections are open already, or `per_ip` from this address.
    pub fn admit(&self, peer: IpAddr, all: usize, per_ip: usize) -> Result<Seat, Crowded> {
        let peer = network(peer);
        let mut count = self.count();
        if count.all >= all {
            return Err(Crowded::Everywhere);
        }
        let there = count.by_peer.entry(peer).or_default();
        if *there >= per_ip {
            return Err(Crowded::There);
        }
        *there += 1;
        count.all += 1;
        Ok(Seat { connections: self.clone(), peer })
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut count = self.connections.count();
        count.all -= 1;
        if let Some(there) = count.by_peer.get_mut(&self.peer) {
            *there -= 1;
            if *there == 0 {
                count.by_peer.remove(&self.peer);
            }
        }
    }
}

/// An IPv6 client usually controls its whole /64, so that counts as one address.
pub(super) fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn seats_are_given_back() {
        let connections = Connections::default();
        let first = connections.admit(ip("192.0.2.1"), 3, 1).unwrap();
        assert_eq!(connections.admit(ip("::ffff:192.0.2.1"), 3, 1).err(), Some(Crowded::There));
        let others = [connections.admit(ip("2001:db8::1"), 3, 1), connections.admit(ip("192.0.2.2"), 3, 1)];
        assert!(others.iter().all(Result::is_ok));
        assert_eq!(connections.admit(ip("192.0.2.3"), 3, 1).err(), Some(Crowded::Everywhere));
        drop(first);
        assert_eq!(connections.admit(ip("2001:db8::ffff"), 3, 1).err(), Some(Crowded::There));
        assert!(connections.admit(ip("192.0.2.1"), 3, 1).is_ok());
    }
}
