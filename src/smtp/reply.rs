//! An SMTP reply: a code, the enhanced status code of RFC 3463, and a text.

use std::borrow::Cow;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    pub status: &'static str,
    pub text: Cow<'static, str>,
}

impl Reply {
    pub fn new(code: u16, status: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, status, text: text.into() }
    }

    pub fn is_refusal(&self) -> bool {
        self.code >= 400
    }

    /// Adds a subject in brackets before the text, like a recipient.
    pub fn about(&self, subject: &str) -> Self {
        Self { text: format!("<{subject}> {}", self.text).into(), ..self.clone() }
    }

    /// Writes one line. Control characters from a peer can't break out of it.
    pub fn write(&self, out: &mut Vec<u8>) {
        let text = self.text.replace(|c: char| c.is_control(), " ");
        let status = if self.status.is_empty() { "" } else { " " };
        out.extend_from_slice(format!("{}{status}{} {text}\r\n", self.code, self.status).as_bytes());
    }
}

macro_rules! replies {
    ($($name:ident: $code:literal $status:literal $text:literal;)+) => {$(
        pub const $name: Reply = Reply { code: $code, status: $status, text: Cow::Borrowed($text) };
    )+};
}

replies! {
    OK: 250 "2.0.0" "OK";
    SENDER_OK: 250 "2.1.0" "Sender OK";
    RECIPIENT_OK: 250 "2.1.5" "Recipient OK";
    GOODBYE: 221 "2.0.0" "Goodbye";
    HELP: 214 "2.0.0" "See RFC 5321; this server only receives mail";
    CANNOT_VERIFY: 252 "2.5.0" "Cannot verify addresses; send mail to find out";
    READY_FOR_TLS: 220 "2.0.0" "Ready to start TLS";
    GO_AHEAD: 354 "" "Send the message; end it with <CRLF>.<CRLF>";

    TIMED_OUT: 421 "4.4.2" "Timeout";
    STOPPING: 421 "4.3.2" "This server is stopping; try again shortly";
    TOO_MANY_CONNECTIONS: 421 "4.3.2" "Too many connections; try again later";
    TOO_MANY_FROM_NETWORK: 421 "4.7.0" "Too many connections from your address; try again later";
    TOO_MANY_ERRORS: 421 "4.7.0" "Too many errors";
    TOO_MANY_COMMANDS: 421 "4.7.0" "Too many commands without a message";
    TOO_MANY_UNKNOWN: 421 "4.7.1" "Too many unknown recipients from your network; try again later";
    EVICTED: 421 "4.3.2" "Idle connection closed for a new one; connect again to send mail";

    STORE_UNAVAILABLE: 451 "4.3.0" "The message store is unavailable; try again later";
    HOURLY_LIMIT: 451 "4.7.1" "Your network has reached its hourly limit; try again later";
    UNVERIFIED: 451 "4.7.5" "The sender could not be verified just now; try again later";
    FULL: 452 "4.2.2" "The mailbox is full; try again later";
    OUT_OF_MEMORY: 452 "4.3.1" "Too much mail is being received just now; try again later";
    TOO_MANY_RECIPIENTS: 452 "4.5.3" "Too many recipients; send the rest in another message";

    LINE_TOO_LONG: 500 "5.5.2" "The line is too long";
    BARE_LINE: 500 "5.5.2" "Lines must end with CR LF and contain no other CR, LF or NUL";
    UNKNOWN_COMMAND: 500 "5.5.1" "Unknown command";
    NOT_IMPLEMENTED: 502 "5.5.1" "Command not implemented";
    GREET_FIRST: 503 "5.5.1" "Send EHLO first";
    NESTED_MAIL: 503 "5.5.1" "Sender already given; send RSET to start again";
    SENDER_FIRST: 503 "5.5.1" "Send MAIL first";
    RECIPIENT_FIRST: 503 "5.5.1" "Send RCPT first";
    ALREADY_SECURE: 503 "5.5.1" "TLS is already active";
    BAD_SENDER: 501 "5.1.7" "Invalid sender address";
    BAD_RECIPIENT: 501 "5.1.3" "Invalid recipient address";
    ASCII_ONLY: 553 "5.6.7" "This address needs the SMTPUTF8 parameter of MAIL";
    UNKNOWN_PARAMETER: 555 "5.5.4" "Unsupported parameter";

    UNKNOWN_RECIPIENT: 550 "5.1.1" "No such address";
    HEADER_TOO_LARGE: 552 "5.3.4" "The header of the message is too large";
    TOO_LARGE: 552 "5.3.4" "The message is too large";
    NOT_SMTP: 554 "5.5.1" "This is not HTTP";
    PIPELINED_TLS: 554 "5.5.1" "Commands after STARTTLS must wait for TLS";
    BARE_ENDING: 554 "5.5.2" "The message contains a bare CR or LF, which allows message smuggling";
    LOOP: 554 "5.4.6" "Mail loop detected";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_cannot_break_out_of_a_line() {
        let mut out = Vec::new();
        UNKNOWN_RECIPIENT.about("a\r\n250 b").write(&mut out);
        GO_AHEAD.write(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "550 5.1.1 <a  250 b> No such address\r\n354 Send the message; end it with <CRLF>.<CRLF>\r\n"
        );
    }
}
