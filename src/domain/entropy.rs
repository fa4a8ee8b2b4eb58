use std::cell::RefCell;

pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

pub fn bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// The operating system's random source. Small requests, such as an id per call, are served from a pool
/// per thread: a system call would cost more than the rest of the API call.
pub struct SystemEntropy;

const POOL: usize = 1024;
const SMALL: usize = 16;

thread_local! {
    /// The pool, and how many of its bytes are used.
    static LEFT: RefCell<([u8; POOL], usize)> = const { RefCell::new(([0; POOL], POOL)) };
}

impl Entropy for SystemEntropy {
    /// # Panics
    /// If the operating system has no random bytes: no secret can be made then.
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
            // No byte is used twice or stays in memory.
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
    fn random_bytes_differ() {
        let seen: HashSet<[u8; 16]> = (0..10_000).map(|_| bytes(&SystemEntropy)).collect();
        assert_eq!(seen.len(), 10_000);
        assert!(!seen.contains(&[0; 16]));
    }
}
