//! The open file limit of this process. Web and mail share it, and must leave room for the store.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Reserved for the store, the journal, the log, DNS and the listeners.
const RESERVED: usize = 256;

/// Raises the open file limit as far as the system allows, and returns it.
pub fn raise() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if let Err(cause) = raised {
        tracing::warn!(%cause, "could not raise the limit on open files");
    }
    let current = getrlimit(Resource::Nofile).current;
    current.map_or(usize::MAX, |current| usize::try_from(current).unwrap_or(usize::MAX))
}

/// Returns the numbers of connections for web and mail: as many as requested, or a proportional share.
pub(crate) fn share(limit: usize, web: usize, mail: usize) -> (usize, usize) {
    let free = limit.saturating_sub(RESERVED).max(limit / 2);
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
    fn web_and_mail_leave_descriptors_for_each_other_and_the_store() {
        assert_eq!(share(1 << 20, 1500, 1000), (1500, 1000));
        assert_eq!(share(usize::MAX, 1500, 1000), (1500, 1000));
        for limit in [64, 256, 1024, 2048] {
            let (web, mail) = share(limit, 1500, 1000);
            assert!(
                web > 0 && mail > 0 && web + mail + (limit - limit / 2).min(RESERVED) <= limit,
                "{limit}"
            );
        }
    }
}
