//! Places for connections of which the longest idle gives way when all are taken.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::connections::{Connections, Crowded, Seat};

/// Connections at once that were asked to give way and are still there.
const LEAVING: usize = 64;

/// A handle; clones share the places.
#[derive(Clone, Default)]
pub struct Places {
    connections: Connections,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    number: u64,
    /// By age: when something last came of the connection.
    by_age: BTreeMap<Age, Waiting>,
    leaving: usize,
}

type Age = (Instant, u64);

struct Waiting {
    _seat: Seat,
    leave: Arc<Notify>,
    busy: bool,
}

/// The place of a connection until this is dropped.
pub struct Place {
    places: Places,
    age: Mutex<Age>,
    leave: Arc<Notify>,
}

/// Keeps a place while something must not break off.
pub struct Busy<'p>(&'p Place);

impl Places {
    /// As [`Connections::admit`], but when all are taken the one gives way of which nothing has
    /// come for the longest time, if that is `idle` or more.
    ///
    /// # Errors
    /// When there is no place all the same.
    pub fn admit(&self, peer: IpAddr, all: usize, per_ip: usize, idle: Duration) -> Result<Place, Crowded> {
        let mut taken = self.taken();
        let seat = match self.connections.admit(peer, all, per_ip) {
            Err(Crowded::Everywhere) if taken.makes_room(idle) => {
                self.connections.admit(peer, all, per_ip)?
            }
            admitted => admitted?,
        };
        taken.number += 1;
        let (age, leave) = ((Instant::now(), taken.number), Arc::new(Notify::new()));
        taken.by_age.insert(age, Waiting { _seat: seat, leave: leave.clone(), busy: false });
        Ok(Place { places: self.clone(), age: Mutex::new(age), leave })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn makes_room(&mut self, idle: Duration) -> bool {
        let oldest = self.by_age.iter().find(|(_, waiting)| !waiting.busy).map(|(age, _)| *age);
        let Some(oldest) = oldest.filter(|(since, _)| self.leaving < LEAVING && since.elapsed() >= idle)
        else {
            return false;
        };
        if let Some(waiting) = self.by_age.remove(&oldest) {
            waiting.leave.notify_one();
            self.leaving += 1;
        }
        true
    }
}

impl Place {
    /// Something came of the connection.
    pub fn progress(&self) {
        self.change(|_| {});
    }

    pub fn busy(&self) -> Busy<'_> {
        self.change(|waiting| waiting.busy = true);
        Busy(self)
    }

    /// Returns when the connection is to give way.
    pub async fn leave(&self) {
        self.leave.notified().await;
    }

    fn change(&self, change: impl FnOnce(&mut Waiting)) {
        let mut taken = self.places.taken();
        let mut age = self.age();
        if let Some(mut waiting) = taken.by_age.remove(&*age) {
            change(&mut waiting);
            age.0 = Instant::now();
            taken.by_age.insert(*age, waiting);
        }
    }

    fn age(&self) -> MutexGuard<'_, Age> {
        self.age.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.change(|waiting| waiting.busy = false);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        let age = *self.age();
        if taken.by_age.remove(&age).is_none() {
            taken.leaving -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(places: &Places, idle: u64) -> Result<Place, Crowded> {
        places.admit(IpAddr::from([192, 0, 2, 1]), 2, 2, Duration::from_secs(idle))
    }

    #[tokio::test]
    async fn the_longest_idle_gives_way() {
        let places = Places::default();
        let peers = [1, 2, 3, 4].map(|last| IpAddr::from([192, 0, 2, last]));
        let admit = |at: usize, idle| places.admit(peers[at], 2, 2, Duration::from_secs(idle));
        let (first, second) = (admit(0, 0).unwrap(), admit(1, 0).unwrap());
        assert_eq!(admit(2, 1000).err(), Some(Crowded::Everywhere), "none is idle for so long");
        first.progress();
        let third = admit(2, 0).unwrap();
        second.leave().await;
        let (busy, kept) = (first.busy(), third.busy());
        assert_eq!(admit(3, 0).err(), Some(Crowded::Everywhere), "all are busy");
        drop((busy, kept));
        let fourth = admit(3, 0).unwrap();
        first.leave().await;
        drop((first, second, third, fourth));
        let taken = places.taken();
        assert_eq!((taken.by_age.len(), taken.leaving), (0, 0));
    }

    #[test]
    fn a_peer_with_too_many_makes_nobody_leave() {
        let places = Places::default();
        let _all = [admit(&places, 0).unwrap(), admit(&places, 0).unwrap()];
        assert_eq!(admit(&places, 0).err(), Some(Crowded::There));
        assert_eq!(places.taken().leaving, 0);
    }
}
