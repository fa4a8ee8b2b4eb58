//! Connections that are open, in total and per network. Web and mail each count their own.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Count {
    all: usize,
    by_network: HashMap<Network, usize>,
}

/// A handle; clones share the counts.
#[derive(Clone, Default)]
pub struct Connections(Arc<Mutex<Count>>);

/// Counts one connection until it is dropped.
pub struct Seat {
    connections: Connections,
    networks: Vec<Network>,
}

/// By its first address and the length of its prefix.
type Network = (IpAddr, u8);

/// How many times as many connections a site may have as one of its networks.
const SITE: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowded {
    Everywhere,
    /// From this address or network, by its first address and the length of its prefix.
    There(IpAddr, u8),
}

impl Connections {
    /// # Errors
    /// When `per_ip` connections are open already from this address, four times as many from
    /// its IPv6 site, or `all`.
    pub fn admit(&self, peer: IpAddr, all: usize, per_ip: usize) -> Result<Seat, Crowded> {
        let networks = networks(peer);
        let mut count = self.count();
        for (number, network) in networks.iter().enumerate() {
            let most = if number == 0 { per_ip } else { per_ip.saturating_mul(SITE) };
            if count.by_network.get(network).copied().unwrap_or_default() >= most {
                return Err(Crowded::There(network.0, network.1));
            }
        }
        if count.all >= all {
            return Err(Crowded::Everywhere);
        }
        count.all += 1;
        for network in &networks {
            *count.by_network.entry(*network).or_default() += 1;
        }
        Ok(Seat { connections: self.clone(), networks })
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// The address, or the IPv6 /64, that has it.
    pub fn network(&self) -> IpAddr {
        self.networks[0].0
    }

    /// Whether the crowd would be smaller without this one.
    pub fn counts_for(&self, crowded: Crowded) -> bool {
        match crowded {
            Crowded::Everywhere => true,
            Crowded::There(first, length) => self.networks.contains(&(first, length)),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut count = self.connections.count();
        count.all -= 1;
        for network in &self.networks {
            if let Some(there) = count.by_network.get_mut(network) {
                *there -= 1;
                if *there == 0 {
                    count.by_network.remove(network);
                }
            }
        }
    }
}

/// An IPv6 client usually controls its whole /64, so that counts as one address; many are
/// given a /48, with 65,536 of those.
fn networks(ip: IpAddr) -> Vec<Network> {
    match ip.to_canonical() {
        IpAddr::V6(ip) => [64, 48].map(|length| (prefix(ip, length), length)).to_vec(),
        v4 => vec![(v4, 32)],
    }
}

pub fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => prefix(ip, 64),
        v4 => v4,
    }
}

/// All that one party may control: the /48 of an IPv6 address, or an IPv4 address.
pub fn site(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => prefix(ip, 48),
        v4 => v4,
    }
}

fn prefix(ip: Ipv6Addr, length: u8) -> IpAddr {
    Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << (128 - length))).into()
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
        let there = Crowded::There(ip("192.0.2.1"), 32);
        assert_eq!(connections.admit(ip("::ffff:192.0.2.1"), 3, 1).err(), Some(there));
        let others = [connections.admit(ip("2001:db8::1"), 3, 1), connections.admit(ip("192.0.2.2"), 3, 1)];
        assert!(others.iter().all(Result::is_ok));
        assert_eq!(connections.admit(ip("192.0.2.3"), 3, 1).err(), Some(Crowded::Everywhere));
        drop(first);
        let there = Crowded::There(ip("2001:db8::"), 64);
        assert_eq!(connections.admit(ip("2001:db8::ffff"), 3, 1).err(), Some(there));
        assert!(connections.admit(ip("192.0.2.1"), 3, 1).is_ok());
    }

    #[test]
    fn a_site_has_so_many_connections() {
        let connections = Connections::default();
        let admit = |text: &str| connections.admit(ip(text), 100, 2);
        let mut open: Vec<Seat> =
            (0..8).map(|n| admit(&format!("2001:db8:0:{}::1", n / 2)).unwrap()).collect();
        assert_eq!(admit("2001:db8:0:9::1").err(), Some(Crowded::There(ip("2001:db8::"), 48)));
        assert!(admit("2001:db8:1::1").is_ok() && admit("192.0.2.1").is_ok());
        open.pop();
        assert!(admit("2001:db8:0:9::1").is_ok());
        drop(open);
        assert!(connections.count().by_network.is_empty());
    }
}
