//! How much of its limits a session has used.

use smtp_proto::Request;
use tokio::time::Instant;

use super::limits::Limits;
use super::reply::Reply;

pub struct SessionLimits {
    limits: Limits,
    errors: u32,
    idle_commands: u32,
    unknown: u32,
    /// When the last message was taken, else the beginning.
    taken: Instant,
}

impl SessionLimits {
    pub fn new(limits: Limits) -> Self {
        Self { limits, errors: 0, idle_commands: 0, unknown: 0, taken: Instant::now() }
    }

    /// Until when to wait for a command; nothing once the session has lasted too long, also for
    /// a peer that never pauses.
    pub fn until(&self) -> Option<Instant> {
        let (now, end) = (Instant::now(), self.taken + self.limits.session);
        (now < end).then(|| end.min(now + self.limits.command))
    }

    /// Whether it is one refusal too many.
    pub fn counts_too_many_errors(&mut self, reply: &Reply) -> bool {
        self.errors += u32::from(reply.is_refusal());
        self.errors > self.limits.errors
    }

    /// Whether it is one command too many that has nothing to do with a message.
    pub fn counts_too_many_idle_commands(&mut self, request: &Request<String>) -> bool {
        let leads = matches!(
            request,
            Request::Mail { .. } | Request::Rcpt { .. } | Request::Data | Request::StartTls | Request::Quit
        );
        self.idle_commands += u32::from(!leads);
        self.idle_commands > self.limits.idle_commands
    }

    pub fn count_unknown(&mut self) {
        self.unknown += 1;
    }

    pub fn has_too_many_unknown(&self) -> bool {
        self.unknown >= self.limits.unknown
    }

    pub fn accepted_message(&mut self) {
        (self.taken, self.idle_commands) = (Instant::now(), 0);
    }
}
