//! Every error code the API has: an [`ApiError`](super::ApiError) can carry no other, and the
//! reference lists just these.

/// How a call can fail, in one word for programs.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    pub status: u16,
    pub name: &'static str,
    pub meaning: &'static str,
    /// What its receiver does about it.
    pub remedy: &'static str,
}

macro_rules! codes {
    ($($name:ident = $status:literal, $meaning:literal, $remedy:literal;)+) => {
        $(pub static $name: Code =
            Code { status: $status, name: stringify!($name), meaning: $meaning, remedy: $remedy };)+

        /// By status.
        pub static ALL: &[&Code] = &[$(&$name),+];
    };
}

codes! {
    INVALID_REQUEST = 400, "The request is not understood.",
        "Change the fields that “details” names, then send it again.";
    MISSING_TOKEN = 401, "No token was sent.",
        "Send it as “Authorization: Bearer”.";
    INVALID_API_TOKEN = 401, "The token is mistyped, unknown, revoked or expired.",
        "Compare it with where you keep it; else ask the owner or an admin for a new one.";
    API_DISABLED = 403, "API access of the team is switched off.",
        "Ask the owner to switch it on, on the Developer page.";
    PLAN_REQUIRED = 403, "The team's plan has no API.",
        "Ask whoever runs this instance for another plan.";
    INSUFFICIENT_SCOPE = 403, "The token lacks the scope that “WWW-Authenticate” names.",
        "Ask the owner or an admin for a token that has it.";
    FORBIDDEN = 403, "This caller may not do this, whatever it sends.",
        "Do what the message says; do not repeat the call.";
    NOT_FOUND = 404, "There is no such thing, or it is another team's.",
        "Check the id and the address; do not repeat the call.";
    METHOD_NOT_ALLOWED = 405, "The address takes other methods.",
        "Use one of those that “Allow” lists.";
    CONFLICT = 409, "It contradicts what is there, such as a name that is taken.",
        "Read what is there, then choose otherwise.";
    IDEMPOTENCY_KEY_IN_USE = 409, "The first request with this “Idempotency-Key” is not done yet.",
        "Wait as many seconds as “Retry-After” says, then send the same again.";
    PRECONDITION_FAILED = 412, "The thing is another by now than “If-Match” says.",
        "Read it again, and send the “ETag” of that answer.";
    PAYLOAD_TOO_LARGE = 413, "The body is too large.",
        "Send less; the message says how much is taken.";
    UNSUPPORTED_MEDIA_TYPE = 415, "The body is not JSON, or it is compressed.",
        "Send it as “Content-Type: application/json”, without “Content-Encoding”.";
    IDEMPOTENCY_KEY_REUSED = 422, "The “Idempotency-Key” was sent with another request within a day.",
        "Choose a new key for each new request.";
    RATE_LIMIT_EXCEEDED = 429, "The calls of this hour are used up.",
        "Wait as many seconds as “Retry-After” says, then go on.";
    SERVER_ERROR = 500, "Something went wrong on our side.",
        "Tell whoever runs this instance the “requestId”: it finds the cause in the log.";
    SERVICE_UNAVAILABLE = 503, "Something that is needed is out of reach just now.",
        "Wait as many seconds as “Retry-After” says, then try again.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_listed_by_status_and_say_what_to_do() {
        assert!(ALL.is_sorted_by_key(|code| code.status));
        for code in ALL {
            assert!((400..600).contains(&code.status), "{code:?}");
            assert!(code.meaning.ends_with('.') && code.remedy.ends_with('.'), "{code:?}");
        }
    }
}
