use smtp_proto::Request;
use tokio::time::Instant;

use super::limits::Limits;
use super::reply::Reply;

pub struct SessionLimits {
    limits: Limits,
    errors: u32,
    idle_commands: u32,
    unknown: u32,
    /// The last accepted message, or the beginning of the session.
    last_message: Instant,
}

impl SessionLimits {
    pub fn new(limits: Limits) -> Self {
        Self { limits, errors: 0, idle_commands: 0, unknown: 0, last_message: Instant::now() }
    }

    /// Returns the deadline for the next command, or `None` once the session has lasted too long.
    pub fn command_deadline(&self) -> Option<Instant> {
        let (now, end) = (Instant::now(), self.last_message + self.limits.session);
        (now < end).then(|| end.min(now + self.limits.command))
    }

    pub fn counts_too_many_errors(&mut self, reply: &Reply) -> bool {
        self.errors += u32::from(reply.is_refusal());
        self.errors > self.limits.errors
    }

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
        (self.last_message, self.idle_commands) = (Instant::now(), 0);
    }
}
