//! Hourly counts per network, in memory: a restart resets them, and each instance counts separately.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;
use time::Duration;

use crate::domain::Timestamp;

pub trait Count: Copy + Default {
    /// When the table is full, the networks with the smallest weights are dropped.
    fn weight(&self) -> u64;
}

impl Count for u32 {
    fn weight(&self) -> u64 {
        (*self).into()
    }
}

pub struct Hourly<C> {
    networks: Mutex<HashMap<IpAddr, Hour<C>>>,
    capacity: usize,
}

#[derive(Clone, Copy)]
struct Hour<C> {
    began: Timestamp,
    count: C,
}

impl<C: Count> Hourly<C> {
    pub fn new(capacity: usize) -> Self {
        Self { networks: Mutex::default(), capacity }
    }

    pub fn get(&self, network: IpAddr, now: Timestamp) -> C {
        let networks = self.networks.lock();
        let current = networks.get(&network).filter(|hour| hour.is_current(now));
        current.map(|hour| hour.count).unwrap_or_default()
    }

    pub fn update<T>(&self, network: IpAddr, now: Timestamp, change: impl FnOnce(&mut C) -> T) -> T {
        let mut networks = self.networks.lock();
        if networks.len() >= self.capacity {
            self.evict(&mut networks, now);
        }
        let new = Hour { began: now, count: C::default() };
        let hour = networks.entry(network).or_insert(new);
        if !hour.is_current(now) {
            *hour = new;
        }
        change(&mut hour.count)
    }

    /// Drops past hours, then the half with the smallest weights, so that a flood from new networks doesn't displace
    /// those near their limit.
    fn evict(&self, networks: &mut HashMap<IpAddr, Hour<C>>, now: Timestamp) {
        networks.retain(|_, hour| hour.is_current(now));
        if networks.len() > self.capacity / 2 {
            let mut weights: Vec<u64> = networks.values().map(|hour| hour.count.weight()).collect();
            let middle = weights.len() / 2;
            let (_, &mut median, _) = weights.select_nth_unstable(middle);
            networks.retain(|_, hour| hour.count.weight() > median);
        }
    }
}

impl<C> Hour<C> {
    /// False if the clock was set back.
    fn is_current(&self, now: Timestamp) -> bool {
        now.since(self.began) < Duration::HOUR && now >= self.began
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn ip(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn an_hour_begins_with_the_first_count_and_ends() {
        let hourly = Hourly::<u32>::new(10);
        let add = |now| hourly.update(ip(1), now, |count| *count += 1);
        add(START);
        let later = START.plus(Duration::minutes(59));
        add(later);
        assert_eq!((hourly.get(ip(1), later), hourly.get(ip(2), later)), (2, 0));
        let next = START.plus(Duration::HOUR);
        assert_eq!(hourly.get(ip(1), next), 0);
        add(next);
        assert_eq!(hourly.get(ip(1), next), 1);
        assert_eq!(hourly.get(ip(1), START), 0, "the clock was set back");
    }

    #[test]
    fn memory_is_bounded_and_large_counts_are_kept() {
        let hourly = Hourly::<u32>::new(100);
        hourly.update(ip(0), START, |count| *count = 5);
        for number in 1..1000 {
            hourly.update(ip(number), START, |count| *count += 1);
        }
        assert!(hourly.networks.lock().len() <= 100);
        assert_eq!(hourly.get(ip(0), START), 5);
    }
}
