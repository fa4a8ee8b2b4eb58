//! Limits the connections to a listener. When it is full, a new connection evicts the one that has been idle longest, or
//! a busy one if its network has far more connections than the new one's.

use std::collections::HashMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use super::in_use::{Exceeded, InUse, Reservation};
use crate::domain::network::{self, Network};

/// The maximum number of evicted connections that are still open.
const MAX_EVICTED: usize = 64;

/// A network with this many times the connections of the new one's network can lose one.
const FAR_MORE: usize = 4;

/// A site may have this many times the connections of a network.
const SITE_FACTOR: usize = 4;

#[derive(Clone, Default)]
pub struct Connections {
    in_use: InUse<Network>,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    last_number: u64,
    by_number: HashMap<u64, Entry>,
    evicted: usize,
}

struct Entry {
    hold: Reservation<Network>,
    network: Network,
    activity: Arc<Activity>,
}

/// Occupied by one connection until it is dropped.
pub struct Slot {
    connections: Connections,
    number: u64,
    activity: Arc<Activity>,
}

/// The idle time of a connection's peer, and whether it was evicted. Atomic, because it changes with every request.
pub struct Activity {
    /// Microseconds from [`START`] to the peer's last action; [`BUSY`] while the server works for it.
    idle_since: AtomicU64,
    evicted: AtomicBool,
    eviction: AtomicWaker,
}

/// Protects a connection from eviction until it is dropped.
pub struct BusyGuard<'a>(&'a Activity);

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
const BUSY: u64 = u64::MAX;

impl Connections {
    /// Admits a connection from `peer`: up to `total` connections, `per_ip` from one network, and four
    /// times `per_ip` from one IPv6 site. At a limit, evicts the connection under that limit that has been
    /// idle longest, if it has been idle for at least `idle`.
    ///
    /// # Errors
    /// The limit that was reached, if no connection can be evicted.
    pub fn admit(
        &self,
        peer: IpAddr,
        total: usize,
        per_ip: usize,
        idle: Duration,
    ) -> Result<Slot, Exceeded<Network>> {
        let networks = network::levels(peer);
        let limits = [per_ip, per_ip.saturating_mul(SITE_FACTOR)];
        let keys = || networks.iter().copied().zip(limits).collect();
        let mut open = self.open.lock();
        let hold = match self.in_use.acquire(1, total, keys()) {
            Err(full) if open.evict_idle(full, idle) || open.evict_from_largest(networks[0], full) => {
                self.in_use.acquire(1, total, keys())?
            }
            admitted => admitted?,
        };
        open.last_number += 1;
        let (number, activity) = (open.last_number, Arc::new(Activity::new()));
        let entry = Entry { hold, network: networks[0], activity: activity.clone() };
        open.by_number.insert(number, entry);
        Ok(Slot { connections: self.clone(), number, activity })
    }
}

impl Open {
    fn evict_idle(&mut self, full: Exceeded<Network>, idle: Duration) -> bool {
        let in_the_way = self.by_number.iter().filter(|(_, entry)| match full {
            Exceeded::Total => true,
            Exceeded::Key(network) => entry.hold.keys().any(|key| key == network),
        });
        let longest = in_the_way.max_by_key(|(_, entry)| entry.activity.idle());
        let longest = longest.filter(|(_, entry)| entry.activity.idle() >= Some(idle));
        let number = longest.map(|(number, _)| *number);
        number.is_some_and(|number| self.evict(number))
    }

    /// Evicts a connection of the network with the most connections, if it has far more than the new one's, so that
    /// slow clients can't keep everyone else out.
    fn evict_from_largest(&mut self, newcomer: Network, full: Exceeded<Network>) -> bool {
        if full != Exceeded::Total {
            return false;
        }
        let mut counts: HashMap<Network, usize> = HashMap::new();
        for entry in self.by_number.values() {
            *counts.entry(entry.network).or_default() += 1;
        }
        let own = counts.get(&newcomer).copied().unwrap_or_default();
        let Some((&largest, _)) = counts
            .iter()
            .max_by_key(|(_, count)| **count)
            .filter(|(_, count)| **count > FAR_MORE * (own + 1))
        else {
            return false;
        };
        let of_it = self.by_number.iter().filter(|(_, entry)| entry.network == largest);
        let longest = of_it.filter_map(|(number, entry)| Some((entry.activity.idle()?, *number))).max();
        longest.is_some_and(|(_, number)| self.evict(number))
    }

    fn evict(&mut self, number: u64) -> bool {
        if self.evicted >= MAX_EVICTED {
            return false;
        }
        if let Some(entry) = self.by_number.remove(&number) {
            entry.activity.evict();
            self.evicted += 1;
        }
        true
    }
}

impl Slot {
    pub fn activity(&self) -> Arc<Activity> {
        self.activity.clone()
    }
}

impl Deref for Slot {
    type Target = Activity;

    fn deref(&self) -> &Activity {
        &self.activity
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock();
        if open.by_number.remove(&self.number).is_none() {
            open.evicted -= 1;
        }
    }
}

impl Activity {
    fn new() -> Self {
        let activity =
            Self { idle_since: BUSY.into(), evicted: AtomicBool::new(false), eviction: AtomicWaker::new() };
        activity.touch();
        activity
    }

    pub fn touch(&self) {
        self.idle_since.store(START.elapsed().as_micros() as u64, Ordering::Relaxed);
    }

    /// Marks the server as working for the peer until the next [`Self::touch`].
    pub fn set_busy(&self) {
        self.idle_since.store(BUSY, Ordering::Relaxed);
    }

    pub fn busy(&self) -> BusyGuard<'_> {
        self.set_busy();
        BusyGuard(self)
    }

    pub async fn evicted(&self) {
        poll_fn(|cx| self.poll_evicted(cx)).await;
    }

    /// Like [`Self::evicted`]; only one task per connection can wait.
    pub fn poll_evicted(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.eviction.register(cx.waker());
        if self.evicted.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    fn evict(&self) {
        self.evicted.store(true, Ordering::Release);
        self.eviction.wake();
    }

    fn idle(&self) -> Option<Duration> {
        let since = self.idle_since.load(Ordering::Relaxed);
        (since != BUSY).then(|| START.elapsed().saturating_sub(Duration::from_micros(since)))
    }
}

impl Drop for BusyGuard<'_> {
    fn drop(&mut self) {
        self.0.touch();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Duration = Duration::from_secs(1000);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn of_key(text: &str, length: u8) -> Option<Exceeded<Network>> {
        Some(Exceeded::Key((ip(text), length)))
    }

    fn is_evicted(slot: &Slot) -> bool {
        slot.poll_evicted(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[test]
    fn connections_are_limited_per_address_and_in_total() {
        let connections = Connections::default();
        let admit = |peer| connections.admit(ip(peer), 3, 1, NEVER);
        let first = admit("192.0.2.1").unwrap();
        assert_eq!(admit("::ffff:192.0.2.1").err(), of_key("192.0.2.1", 32));
        let others = [admit("2001:db8::1"), admit("192.0.2.2")];
        assert!(others.iter().all(Result::is_ok));
        assert_eq!(admit("192.0.2.3").err(), Some(Exceeded::Total));
        drop(first);
        assert_eq!(admit("2001:db8::ffff").err(), of_key("2001:db8::", 64));
        assert!(admit("192.0.2.1").is_ok());
    }

    #[test]
    fn a_site_has_a_limit() {
        let connections = Connections::default();
        let admit = |text: &str| connections.admit(ip(text), 100, 2, NEVER);
        let mut open: Vec<Slot> =
            (0..8).map(|n| admit(&format!("2001:db8:0:{}::1", n / 2)).unwrap()).collect();
        assert_eq!(admit("2001:db8:0:9::1").err(), of_key("2001:db8::", 48));
        assert!(admit("2001:db8:1::1").is_ok() && admit("192.0.2.1").is_ok());
        open.pop();
        assert!(admit("2001:db8:0:9::1").is_ok());
        drop(open);
        assert_eq!(connections.in_use.total(), 0);
    }

    #[test]
    fn the_longest_idle_connection_is_evicted() {
        let connections = Connections::default();
        let admit = |last: u8, idle| {
            connections.admit(IpAddr::from([192, 0, 2, last]), 2, 2, Duration::from_secs(idle))
        };
        let (first, second) = (admit(1, 0).unwrap(), admit(2, 0).unwrap());
        assert_eq!(admit(3, 1000).err(), Some(Exceeded::Total), "no connection has been idle for that long");
        second.idle_since.store(0, Ordering::Relaxed);
        let third = admit(3, 0).unwrap();
        assert!(is_evicted(&second) && !is_evicted(&first));
        let busy = (first.busy(), third.busy());
        assert_eq!(admit(4, 0).err(), Some(Exceeded::Total), "all connections are busy");
        drop(busy);
        third.set_busy();
        let fourth = admit(4, 0).unwrap();
        assert!(is_evicted(&first));
        drop((first, second, third, fourth));
        let open = connections.open.lock();
        assert_eq!((open.by_number.len(), open.evicted), (0, 0));
    }

    #[test]
    fn a_network_with_far_more_connections_loses_a_busy_one() {
        let connections = Connections::default();
        let admit = |last| connections.admit(IpAddr::from([192, 0, 2, last]), 6, 6, NEVER);
        let crowd: Vec<_> = (0..5).map(|_| admit(1).unwrap()).collect();
        let other = admit(2).unwrap();
        crowd.iter().skip(1).for_each(|slot| slot.set_busy());
        let newcomer = admit(3).unwrap();
        assert!(is_evicted(&crowd[0]) && !is_evicted(&other));
        assert_eq!(admit(4).err(), Some(Exceeded::Total), "the network no longer has far more");
        assert_eq!(admit(1).err(), Some(Exceeded::Total));
        drop(newcomer);
    }

    #[test]
    fn an_address_at_its_limit_loses_its_own_connection() {
        let connections = Connections::default();
        let admit = |last| connections.admit(IpAddr::from([192, 0, 2, last]), 4, 2, Duration::ZERO);
        let (other, own, more) = (admit(1).unwrap(), admit(2).unwrap(), admit(2).unwrap());
        more.set_busy();
        let next = admit(2).unwrap();
        assert!(is_evicted(&own) && !is_evicted(&other));
        next.set_busy();
        assert_eq!(admit(2).err(), of_key("192.0.2.2", 32));
    }
}
