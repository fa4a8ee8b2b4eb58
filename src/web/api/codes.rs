//! Every error code. An [`ApiError`](super::ApiError) can have no other, and the reference lists exactly
//! these.

#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    pub status: u16,
    pub name: &'static str,
    pub meaning: &'static str,
    /// The next step for the client.
    pub remedy: &'static str,
}

macro_rules! codes {
    ($($name:ident = $status:literal, $meaning:literal, $remedy:literal;)+) => {
        $(pub static $name: Code =
            Code { status: $status, name: stringify!($name), meaning: $meaning, remedy: $remedy };)+

        /// Sorted by status.
        pub static ALL: &[&Code] = &[$(&$name),+];
    };
}

codes! {
    INVALID_REQUEST = 400, "The request is invalid.",
        "Fix the fields named in “details”, then retry.";
    MISSING_TOKEN = 401, "No token was sent.",
        "Send it as “Authorization: Bearer”.";
    INVALID_API_TOKEN = 401, "The token is mistyped, unknown, revoked or expired.",
        "Check it for typos, or ask the owner or an admin for a new one.";
    API_DISABLED = 403, "API access is off for this team.",
        "Ask the owner to turn it on, on the Developer page.";
    PLAN_REQUIRED = 403, "The team's plan does not include the API.",
        "Ask the operator of this instance for another plan.";
    INSUFFICIENT_SCOPE = 403, "The token lacks the scope that “WWW-Authenticate” names.",
        "Ask the owner or an admin for a token that has it.";
    FORBIDDEN = 403, "This caller does not have permission.",
        "Follow the message; do not retry.";
    NOT_FOUND = 404, "The resource does not exist, or belongs to another team.",
        "Check the id and the URL; do not retry.";
    METHOD_NOT_ALLOWED = 405, "The URL does not support this method.",
        "Use one of the methods in “Allow”.";
    CONFLICT = 409, "The request conflicts with the current state, like a name that is taken.",
        "Fetch the current state, then choose another value.";
    IDEMPOTENCY_KEY_IN_USE = 409, "The first request with this “Idempotency-Key” is still in progress.",
        "Wait as many seconds as “Retry-After” says, then retry.";
    PRECONDITION_FAILED = 412, "The resource has changed since the version in “If-Match”.",
        "Fetch it again and send its new “ETag”.";
    PAYLOAD_TOO_LARGE = 413, "The body is too large.",
        "Send less; the message says how much is accepted.";
    UNSUPPORTED_MEDIA_TYPE = 415, "The body is not JSON, or it is compressed.",
        "Send it as “Content-Type: application/json”, without “Content-Encoding”.";
    IDEMPOTENCY_KEY_REUSED = 422, "The “Idempotency-Key” was used for a different request in the last 24 hours.",
        "Use a new key for each new request.";
    RATE_LIMIT_EXCEEDED = 429, "The hourly limit is used up.",
        "Wait as many seconds as “Retry-After” says, then retry.";
    SERVER_ERROR = 500, "Something went wrong on our side.",
        "Send the “requestId” to the operator of this instance, who can find the cause in the log.";
    SERVICE_UNAVAILABLE = 503, "Something that the request needs is temporarily unavailable.",
        "Wait as many seconds as “Retry-After” says, then retry.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_status_and_have_a_remedy() {
        assert!(ALL.is_sorted_by_key(|code| code.status));
        for code in ALL {
            assert!((400..600).contains(&code.status), "{code:?}");
            assert!(code.meaning.ends_with('.') && code.remedy.ends_with('.'), "{code:?}");
        }
    }
}
