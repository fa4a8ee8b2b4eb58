use std::cell::RefCell;

pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

pub fn bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// The operating system's random source. Small requests, like an id per call, are served from a pool per
/// thread, because a system call would cost more than the rest of the API call.
pub struct SystemEntropy;

const POOL_SIZE: usize = 1024;
const SMALL: usize = 16;

thread_local! {
    /// Random bytes, and the number of those already used.
    static POOL: RefCell<([u8; POOL_SIZE], usize)> = const { RefCell::new(([0; POOL_SIZE], POOL_SIZE)) };
}

impl Entropy for SystemEntropy {
    /// # Panics
    /// If the operating system has no random bytes.
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > SMALL {
            return fill_from_system(bytes);
        }
        POOL.with_borrow_mut(|(pool, used)| {
            if *used + bytes.len() > POOL_SIZE {
                fill_from_system(pool);
                *used = 0;
            }
            let taken = &mut pool[*used..*used + bytes.len()];
            bytes.copy_from_slice(taken);
            // No byte is used twice or stays in memory.
            taken.fill(0);
            *used += bytes.len();
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "the only place that reads the system's random source")]
fn fill_from_system(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system provides random bytes");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn random_bytes_differ() {
        let seen: HashSet<[u8; 16]> = (0..10_000).map(|_| bytes(&SystemEntropy)).collect();
        assert_eq!(seen.len(), 10_000);
        assert!(!seen.contains(&[0; 16]));
    }
}
