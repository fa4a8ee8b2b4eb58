//! Groups IP addresses by client.

use std::net::{IpAddr, Ipv6Addr};

/// The first address and the prefix length.
pub type Network = (IpAddr, u8);

/// The networks of an address, smallest first. An IPv6 client usually controls its whole /64, so that
/// counts as one address; many are given a /48, with 65,536 of those.
pub fn levels(ip: IpAddr) -> Vec<Network> {
    match ip.to_canonical() {
        IpAddr::V6(ip) => [64, 48].map(|length| (prefix(ip, length), length)).to_vec(),
        v4 => vec![(v4, 32)],
    }
}

/// An IPv4 address, or the /64 of an IPv6 address: one client.
pub fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => prefix(ip, 64),
        v4 => v4,
    }
}

/// An IPv4 address, or the /48 of an IPv6 address: as much as one party may control.
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

    #[test]
    fn an_ipv6_client_counts_by_prefix() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let v6 = ip("2001:db8:1:2:3::4");
        assert_eq!((network(v6), site(v6)), (ip("2001:db8:1:2::"), ip("2001:db8:1::")));
        assert_eq!(levels(v6), [(ip("2001:db8:1:2::"), 64), (ip("2001:db8:1::"), 48)]);
        let mapped = ip("::ffff:192.0.2.1");
        assert_eq!((network(mapped), site(mapped)), (ip("192.0.2.1"), ip("192.0.2.1")));
        assert_eq!(levels(mapped), [(ip("192.0.2.1"), 32)]);
    }
}
