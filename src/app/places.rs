//! Places for connections, of which the longest idle gives way when they are all taken. Who
//! takes many makes room first, however busy it seems.

use std::collections::HashMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;

use super::connections::{Connections, Crowded, Seat, network};

/// Connections at once that were asked to give way and are still there.
const LEAVING: usize = 64;

/// A network with so many times the places of a newcomer's makes room for it.
const FAR_MORE: usize = 4;

/// A handle; clones share the places.
#[derive(Clone, Default)]
pub struct Places {
    connections: Connections,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    number: u64,
    by_number: HashMap<u64, (Seat, Arc<Turn>)>,
    leaving: usize,
}

/// The place of a connection until this is dropped.
pub struct Place {
    places: Places,
    number: u64,
    turn: Arc<Turn>,
}

/// Whose turn it is on a connection, and whether it is to give way. Cheap enough to change with
/// every request.
pub struct Turn {
    /// Microseconds from [`START`] to when the peer last did something; [`BUSY`] during our turn.
    idle_since: AtomicU64,
    leave: AtomicBool,
    leaving: AtomicWaker,
}

/// Keeps a place while something must not break off.
pub struct Busy<'t>(&'t Turn);

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
const BUSY: u64 = u64::MAX;

impl Places {
    /// As [`Connections::admit`], but when there is no place, the longest idle of those in the
    /// way is asked to leave, if it is idle for `idle` or more.
    ///
    /// # Errors
    /// When there is no place all the same.
    pub fn admit(&self, peer: IpAddr, all: usize, per_ip: usize, idle: Duration) -> Result<Place, Crowded> {
        let mut taken = self.taken();
        let seat = match self.connections.admit(peer, all, per_ip) {
            Err(crowded)
                if taken.makes_room(crowded, idle) || taken.makes_room_for(network(peer), crowded) =>
            {
                self.connections.admit(peer, all, per_ip)?
            }
            admitted => admitted?,
        };
        taken.number += 1;
        let (number, turn) = (taken.number, Arc::new(Turn::new()));
        taken.by_number.insert(number, (seat, turn.clone()));
        Ok(Place { places: self.clone(), number, turn })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Asks the longest idle of those in the way to leave.
    fn makes_room(&mut self, crowded: Crowded, idle: Duration) -> bool {
        let in_the_way = self.by_number.iter().filter(|(_, (seat, _))| seat.counts_for(crowded));
        let longest = in_the_way.max_by_key(|(_, (_, turn))| turn.idle());
        let longest = longest.filter(|(_, (_, turn))| turn.idle() >= Some(idle)).map(|(number, _)| *number);
        longest.is_some_and(|number| self.gives_way(number))
    }

    /// Asks the longest idle of the network with the most places to leave, if it has far more
    /// than the newcomer's: trickling must not keep everybody else out.
    fn makes_room_for(&mut self, newcomer: IpAddr, crowded: Crowded) -> bool {
        if crowded != Crowded::Everywhere {
            return false;
        }
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for (seat, _) in self.by_number.values() {
            *counts.entry(seat.network()).or_default() += 1;
        }
        let own = counts.get(&newcomer).copied().unwrap_or_default();
        let Some((&largest, _)) = counts
            .iter()
            .max_by_key(|(_, count)| **count)
            .filter(|(_, count)| **count > FAR_MORE * (own + 1))
        else {
            return false;
        };
        let of_it = self.by_number.iter().filter(|(_, (seat, _))| seat.network() == largest);
        let longest = of_it.filter_map(|(number, (_, turn))| Some((turn.idle()?, *number))).max();
        longest.is_some_and(|(_, number)| self.gives_way(number))
    }

    fn gives_way(&mut self, number: u64) -> bool {
        if self.leaving >= LEAVING {
            return false;
        }
        if let Some((_, turn)) = self.by_number.remove(&number) {
            turn.give_way();
            self.leaving += 1;
        }
        true
    }
}

impl Place {
    pub fn turn(&self) -> Arc<Turn> {
        self.turn.clone()
    }
}

impl Deref for Place {
    type Target = Turn;

    fn deref(&self) -> &Turn {
        &self.turn
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if taken.by_number.remove(&self.number).is_none() {
            taken.leaving -= 1;
        }
    }
}

impl Turn {
    fn new() -> Self {
        let turn =
            Self { idle_since: BUSY.into(), leave: AtomicBool::new(false), leaving: AtomicWaker::new() };
        turn.progress();
        turn
    }

    /// The peer did something, and what comes next is up to it.
    pub fn progress(&self) {
        self.idle_since.store(START.elapsed().as_micros() as u64, Ordering::Relaxed);
    }

    /// It is our turn until the next [`Self::progress`].
    pub fn is_ours(&self) {
        self.idle_since.store(BUSY, Ordering::Relaxed);
    }

    pub fn busy(&self) -> Busy<'_> {
        self.is_ours();
        Busy(self)
    }

    /// Returns when the connection is to give way.
    pub async fn leave(&self) {
        poll_fn(|cx| self.poll_leave(cx)).await;
    }

    /// [`Self::leave`] for the one task of the connection.
    pub fn poll_leave(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.leaving.register(cx.waker());
        if self.leave.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    fn give_way(&self) {
        self.leave.store(true, Ordering::Release);
        self.leaving.wake();
    }

    /// How long the peer has done nothing; `None` during our turn.
    fn idle(&self) -> Option<Duration> {
        let since = self.idle_since.load(Ordering::Relaxed);
        (since != BUSY).then(|| START.elapsed().saturating_sub(Duration::from_micros(since)))
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.progress();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: [u8; 4] = [1, 2, 3, 4];

    fn is_asked_to_leave(place: &Place) -> bool {
        place.poll_leave(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[test]
    fn the_longest_idle_gives_way() {
        let places = Places::default();
        let peers = LAST.map(|last| IpAddr::from([192, 0, 2, last]));
        let admit = |at: usize, idle| places.admit(peers[at], 2, 2, Duration::from_secs(idle));
        let (first, second) = (admit(0, 0).unwrap(), admit(1, 0).unwrap());
        assert_eq!(admit(2, 1000).err(), Some(Crowded::Everywhere), "none is idle for so long");
        second.idle_since.store(0, Ordering::Relaxed);
        let third = admit(2, 0).unwrap();
        assert!(is_asked_to_leave(&second) && !is_asked_to_leave(&first));
        let (busy, kept) = (first.busy(), third.busy());
        assert_eq!(admit(3, 0).err(), Some(Crowded::Everywhere), "all are busy");
        drop((busy, kept));
        third.is_ours();
        let fourth = admit(3, 0).unwrap();
        assert!(is_asked_to_leave(&first));
        drop((first, second, third, fourth));
        let taken = places.taken();
        assert_eq!((taken.by_number.len(), taken.leaving), (0, 0));
    }

    #[test]
    fn who_takes_most_makes_room_however_busy_it_seems() {
        let places = Places::default();
        let admit = |last| places.admit(IpAddr::from([192, 0, 2, last]), 6, 6, Duration::from_secs(1000));
        let crowd: Vec<_> = (0..5).map(|_| admit(1).unwrap()).collect();
        let other = admit(2).unwrap();
        crowd.iter().skip(1).for_each(|place| place.is_ours());
        let newcomer = admit(3).unwrap();
        assert!(is_asked_to_leave(&crowd[0]) && !is_asked_to_leave(&other));
        assert_eq!(admit(4).err(), Some(Crowded::Everywhere), "what is left of it is not far more");
        assert_eq!(admit(1).err(), Some(Crowded::Everywhere));
        drop(newcomer);
    }

    #[test]
    fn an_address_with_too_many_has_its_own_give_way() {
        let places = Places::default();
        let admit = |last| places.admit(IpAddr::from([192, 0, 2, last]), 4, 2, Duration::ZERO);
        let (other, own, more) = (admit(1).unwrap(), admit(2).unwrap(), admit(2).unwrap());
        more.is_ours();
        let next = admit(2).unwrap();
        assert!(is_asked_to_leave(&own) && !is_asked_to_leave(&other));
        next.is_ours();
        assert_eq!(admit(2).err(), Some(Crowded::There(IpAddr::from([192, 0, 2, 2]), 32)));
    }
}
