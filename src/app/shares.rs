//! Something that is bounded for each and for all together, such as bytes in memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle; clones share the counts.
#[derive(Clone)]
pub struct Shares<K>(Arc<Inner<K>>);

struct Inner<K> {
    of_one: usize,
    of_all: usize,
    taken: Mutex<Taken<K>>,
}

struct Taken<K> {
    all: usize,
    by: HashMap<K, usize>,
}

/// Counts until it is dropped.
pub struct Share<K: Eq + Hash> {
    shares: Shares<K>,
    of: K,
    amount: usize,
}

impl<K: Copy + Eq + Hash> Shares<K> {
    pub fn new(of_one: usize, of_all: usize) -> Self {
        Self(Arc::new(Inner { of_one, of_all, taken: Mutex::new(Taken { all: 0, by: HashMap::new() }) }))
    }

    /// A share, unless too much is taken. Something larger than the bound is let through alone,
    /// or it could never be sent.
    pub fn take(&self, of: K, amount: usize) -> Option<Share<K>> {
        let mut taken = self.0.taken();
        let has = taken.by.get(&of).copied().unwrap_or(0);
        let fits = |taken: usize, bound: usize| taken == 0 || taken.saturating_add(amount) <= bound;
        if !fits(has, self.0.of_one) || !fits(taken.all, self.0.of_all) {
            return None;
        }
        taken.by.insert(of, has + amount);
        taken.all += amount;
        Some(Share { shares: self.clone(), of, amount })
    }
}

impl<K> Inner<K> {
    fn taken(&self) -> MutexGuard<'_, Taken<K>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut taken = self.shares.0.taken();
        taken.all -= self.amount;
        if let Some(has) = taken.by.get_mut(&self.of) {
            *has -= self.amount;
            if *has == 0 {
                taken.by.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_share_and_all_have_theirs() {
        let shares = Shares::new(10, 25);
        let mut first = vec![shares.take('a', 6).unwrap(), shares.take('a', 4).unwrap()];
        assert!(shares.take('a', 1).is_none());
        let others = [shares.take('b', 10), shares.take('c', 5)];
        assert!(others.iter().all(Option::is_some) && shares.take('d', 1).is_none());
        first.pop();
        assert!(shares.take('a', 5).is_none() && shares.take('d', 4).is_some());
        drop((first, others));
        assert!(shares.take('a', 1000).is_some(), "more than the bound, but alone");
        assert!(shares.0.taken().by.is_empty());
    }
}
