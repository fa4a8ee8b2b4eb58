//! Open files of this process. Each connection is one, so that web and mail share the limit of the
//! system, and leave some to the store.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the store, the journal, the log, DNS and the listeners may need.
const OWN: usize = 256;

/// Raises the limit on open files as far as the system lets us, and returns it.
pub fn raise() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if let Err(cause) = raised {
        tracing::warn!(%cause, "the limit on open files could not be raised");
    }
    let current = getrlimit(Resource::Nofile).current;
    current.map_or(usize::MAX, |current| usize::try_from(current).unwrap_or(usize::MAX))
}

/// How many connections each can have: what it wants, or the same share of that.
pub(crate) fn share(limit: usize, web: usize, mail: usize) -> (usize, usize) {
    let free = limit.saturating_sub(OWN).max(limit / 2);
    if web + mail <= free {
        return (web, mail);
    }
    let share = free * web / (web + mail);
    (share, free - share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_face_leaves_descriptors_to_the_other_and_to_the_store() {
        assert_eq!(share(1 << 20, 1500, 1000), (1500, 1000));
        assert_eq!(share(usize::MAX, 1500, 1000), (1500, 1000));
        for limit in [64, 256, 1024, 2048] {
            let (web, mail) = share(limit, 1500, 1000);
            assert!(web > 0 && mail > 0 && web + mail + (limit - limit / 2).min(OWN) <= limit, "{limit}");
        }
    }
}
