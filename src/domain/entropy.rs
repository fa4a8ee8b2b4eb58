//! Chance, for ids and secrets.

use std::cell::RefCell;

pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// `N` random bytes.
pub fn bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// The operating system's random source. Small requests, an id for every call, are served
/// out of a pool of each thread: asking the system costs more than the rest of a call.
pub struct SystemEntropy;

/// Bytes of a thread's pool, and the most that is taken out of it at once.
const POOL: usize = 1024;
const SMALL: usize = 16;

thread_local! {
    /// Random bytes, and how many of them were handed out.
    static LEFT: RefCell<([u8; POOL], usize)> = const { RefCell::new(([0; POOL], POOL)) };
}

impl Entropy for SystemEntropy {
    /// # Panics
    /// When the operating system has no randomness to give: no secret may be made then.
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > SMALL {
            return ask(bytes);
        }
        LEFT.with_borrow_mut(|(pool, used)| {
            if *used + bytes.len() > POOL {
                ask(pool);
                *used = 0;
            }
            let taken = &mut pool[*used..*used + bytes.len()];
            bytes.copy_from_slice(taken);
            // Nothing is handed out twice, nor left to be found.
            taken.fill(0);
            *used += bytes.len();
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the system for chance")]
fn ask(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn nothing_comes_twice() {
        let seen: HashSet<[u8; 16]> = (0..10_000).map(|_| bytes(&SystemEntropy)).collect();
        assert_eq!(seen.len(), 10_000);
        assert!(!seen.contains(&[0; 16]));
    }
}
