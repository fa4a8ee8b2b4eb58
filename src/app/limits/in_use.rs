//! Limits resources in use (connections, bytes in memory, downloads) in total and per key.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;

pub struct InUse<K>(Arc<Mutex<Counts<K>>>);

struct Counts<K> {
    total: usize,
    by_key: HashMap<K, usize>,
}

/// An amount that is in use until this is dropped.
pub struct Reservation<K: Copy + Eq + Hash> {
    in_use: InUse<K>,
    keys: Vec<(K, usize)>,
    amount: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded<K> {
    Total,
    Key(K),
}

impl<K: Copy + Eq + Hash> InUse<K> {
    /// Reserves an amount, which counts in total and under each key with its limit.
    ///
    /// # Errors
    /// The first limit that the amount would exceed.
    pub fn acquire(
        &self,
        amount: usize,
        total: usize,
        keys: Vec<(K, usize)>,
    ) -> Result<Reservation<K>, Exceeded<K>> {
        let mut reservation = self.reserve_nothing(keys);
        reservation.resize(amount, total)?;
        Ok(reservation)
    }

    pub fn reserve_nothing(&self, keys: Vec<(K, usize)>) -> Reservation<K> {
        Reservation { in_use: self.clone(), keys, amount: 0 }
    }

    /// Like [`Self::acquire`] with one key, but admits an amount above a limit when nothing else is in use. Otherwise
    /// it would wait forever.
    pub fn acquire_or_alone(
        &self,
        amount: usize,
        total: usize,
        (key, limit): (K, usize),
    ) -> Result<Reservation<K>, Exceeded<K>> {
        self.acquire(amount, total.max(amount), vec![(key, limit.max(amount))])
    }

    #[cfg(test)]
    pub fn total(&self) -> usize {
        self.0.lock().total
    }
}

impl<K: Copy + Eq + Hash> Reservation<K> {
    pub fn keys(&self) -> impl Iterator<Item = K> {
        self.keys.iter().map(|(key, _)| *key)
    }

    /// Changes the reserved amount. Reducing it always succeeds.
    ///
    /// # Errors
    /// Like [`InUse::acquire`]. The amount is unchanged.
    pub fn resize(&mut self, amount: usize, total: usize) -> Result<(), Exceeded<K>> {
        let mut counts = self.in_use.0.lock();
        if amount > self.amount {
            let more = amount - self.amount;
            for (key, limit) in &self.keys {
                if counts.of(key).saturating_add(more) > *limit {
                    return Err(Exceeded::Key(*key));
                }
            }
            if counts.total.saturating_add(more) > total {
                return Err(Exceeded::Total);
            }
        }
        counts.total = counts.total - self.amount + amount;
        for (key, _) in &self.keys {
            match counts.of(key) - self.amount + amount {
                0 => drop(counts.by_key.remove(key)),
                count => drop(counts.by_key.insert(*key, count)),
            }
        }
        self.amount = amount;
        Ok(())
    }
}

impl<K: Eq + Hash> Counts<K> {
    fn of(&self, key: &K) -> usize {
        self.by_key.get(key).copied().unwrap_or_default()
    }
}

impl<K: Copy + Eq + Hash> Drop for Reservation<K> {
    fn drop(&mut self) {
        let _ = self.resize(0, 0);
    }
}

impl<K> Clone for InUse<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K> Default for InUse<K> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Counts { total: 0, by_key: HashMap::new() })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_limited_per_key_and_in_total() {
        let in_use = InUse::default();
        let acquire = |key, amount| in_use.acquire(amount, 25, vec![(key, 10)]);
        let mut first = vec![acquire('a', 6).unwrap(), acquire('a', 4).unwrap()];
        assert_eq!(acquire('a', 1).err(), Some(Exceeded::Key('a')));
        let others = [acquire('b', 10), acquire('c', 5)];
        assert!(others.iter().all(Result::is_ok));
        assert_eq!(acquire('d', 1).err(), Some(Exceeded::Total));
        first.pop();
        assert_eq!(acquire('a', 5).err(), Some(Exceeded::Key('a')));
        assert!(acquire('d', 4).is_ok());
        drop((first, others));
        assert_eq!((in_use.total(), in_use.0.lock().by_key.len()), (0, 0));
    }

    #[test]
    fn an_oversized_item_is_admitted_alone() {
        let in_use = InUse::default();
        let acquire = |key, amount| in_use.acquire_or_alone(amount, 25, (key, 10));
        let small = acquire('a', 1).unwrap();
        assert_eq!(acquire('a', 11).err(), Some(Exceeded::Key('a')));
        assert_eq!(acquire('b', 26).err(), Some(Exceeded::Total));
        drop(small);
        let large = acquire('b', 26).unwrap();
        assert_eq!(acquire('c', 1).err(), Some(Exceeded::Total));
        drop(large);
        assert_eq!(in_use.total(), 0);
    }

    #[test]
    fn a_reservation_counts_under_each_of_its_keys() {
        let in_use = InUse::default();
        let acquire = |near, far| in_use.acquire(1, 100, vec![(near, 1), (far, 2)]);
        let (one, two) = (acquire('a', 'z').unwrap(), acquire('b', 'z').unwrap());
        assert_eq!(acquire('a', 'y').err(), Some(Exceeded::Key('a')));
        assert_eq!(acquire('c', 'z').err(), Some(Exceeded::Key('z')));
        assert_eq!(in_use.total(), 2, "a refusal reserves nothing");
        drop((one, two));
        assert!(in_use.0.lock().by_key.is_empty());
    }

    #[test]
    fn a_reservation_can_always_shrink_and_grows_if_there_is_room() {
        let in_use = InUse::default();
        let mut reservation = in_use.acquire(4, 10, vec![('a', 8)]).unwrap();
        assert_eq!(reservation.resize(9, 10), Err(Exceeded::Key('a')));
        assert_eq!(reservation.resize(8, 7), Err(Exceeded::Total));
        assert_eq!(in_use.total(), 4, "a refusal changes nothing");
        assert_eq!((reservation.resize(8, 10), in_use.total()), (Ok(()), 8));
        assert_eq!((reservation.resize(5, 0), in_use.total()), (Ok(()), 5));
    }
}
