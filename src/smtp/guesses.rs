//! Unknown recipients, counted per network and hour: guessing addresses goes on over many
//! connections.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::app::connections::site;

const HOUR: Duration = Duration::from_secs(3600);
/// Networks remembered at once: some 500 kB.
const NETWORKS: usize = 10_000;

#[derive(Default)]
pub struct Guesses(Mutex<HashMap<IpAddr, (u32, Instant)>>);

impl Guesses {
    /// Whether the network of this peer has named `most` already.
    pub fn are_used_up(&self, peer: IpAddr, most: u32) -> bool {
        let counted = self.counted();
        counted.get(&site(peer)).is_some_and(|(count, since)| *count >= most && since.elapsed() < HOUR)
    }

    pub fn count(&self, peer: IpAddr) {
        let mut counted = self.counted();
        if counted.len() >= NETWORKS {
            counted.retain(|_, (_, since)| since.elapsed() < HOUR);
        }
        if counted.len() >= NETWORKS {
            // Those that guessed least are forgotten, or fresh networks would wash out the others.
            let mut counts: Vec<u32> = counted.values().map(|(count, _)| *count).collect();
            let (_, &mut middle, _) = counts.select_nth_unstable(NETWORKS / 2);
            counted.retain(|_, (count, _)| *count > middle);
        }
        let entry = counted.entry(site(peer)).or_insert((0, Instant::now()));
        if entry.1.elapsed() >= HOUR {
            *entry = (0, Instant::now());
        }
        entry.0 += 1;
    }

    fn counted(&self) -> MutexGuard<'_, HashMap<IpAddr, (u32, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_counted_apart_and_not_without_end() {
        let guesses = Guesses::default();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        for address in ["192.0.2.1", "2001:db8::1", "2001:db8:0:ff::1"] {
            guesses.count(ip(address));
        }
        assert!(guesses.are_used_up(ip("2001:db8::"), 2), "of one /48");
        assert!(!guesses.are_used_up(ip("192.0.2.1"), 2) && !guesses.are_used_up(ip("192.0.2.2"), 1));
        for number in 0..u32::try_from(2 * NETWORKS).unwrap() {
            guesses.count(std::net::Ipv4Addr::from_bits(number).into());
        }
        assert!(guesses.counted().len() <= NETWORKS);
        assert!(guesses.are_used_up(ip("2001:db8::"), 2), "others do not wash it out");
    }
}
