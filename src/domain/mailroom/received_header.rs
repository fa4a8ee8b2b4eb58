//! The header fields that a mail server adds to messages, and uses to detect mail loops (RFC 5321, sections
//! 4.4 and 6.3).

use std::net::IpAddr;

use time::format_description::well_known::Rfc2822;

use super::address::MailAddress;
use super::mime::header::Header;
use crate::domain::actor::Actor;
use crate::domain::sealing::hex;

/// A header field with the sending host, in every message that Gatepost sends.
pub const LOOP_MARK: &str = "X-Gatepost-Loop";

pub struct ReceivedHeader<'a> {
    pub host: &'a str,
    /// The protocol, like `ESMTPS`.
    pub with: &'a str,
    /// `None` if the sender is `<>`.
    pub from: Option<&'a str>,
    /// The name in the peer's greeting.
    pub helo: &'a str,
    pub peer: Option<IpAddr>,
    /// `None` if there are several recipients, who must not learn of each other.
    pub rcpt: Option<&'a str>,
}

impl ReceivedHeader<'_> {
    pub fn render(&self, actor: &Actor) -> Vec<u8> {
        let helo = printable(self.helo, |c| c.is_ascii_alphanumeric() || "-._:[]".contains(c));
        let peer = match self.peer {
            Some(IpAddr::V4(ip)) => format!(" ([{ip}])"),
            Some(IpAddr::V6(ip)) => format!(" ([IPv6:{ip}])"),
            None => String::new(),
        };
        let path = |address: &str| {
            // A quoted local part may contain any characters.
            let is_quoted = MailAddress::parse(address).is_some_and(|it| it.local().starts_with('"'));
            let allowed = |c: char| is_quoted || !c.is_whitespace() && !"<>".contains(c);
            printable(address, |c| !c.is_control() && allowed(c))
        };
        let rcpt = self.rcpt.map(|rcpt| format!("\r\n\tfor <{}>", path(rcpt))).unwrap_or_default();
        let date = actor.now.utc().format(&Rfc2822).unwrap_or_default();
        format!(
            "Return-Path: <{}>\r\nReceived: from {helo}{peer}\r\n\tby {} (Gatepost) with {} id {}{rcpt};\r\n\t{date}\r\n",
            self.from.map(path).unwrap_or_default(),
            self.host,
            self.with,
            hex(&actor.chance()),
        )
        .into_bytes()
    }
}

/// Returns `unknown` if none of the characters is allowed.
fn printable(text: &str, allowed: impl Fn(char) -> bool) -> String {
    let kept: String = text.chars().filter(|c| allowed(*c)).collect();
    if kept.is_empty() { "unknown".into() } else { kept }
}

pub fn was_sent_from(raw: &[u8], host: &str) -> bool {
    Header::of(raw).all(LOOP_MARK).any(|value| value.trim_ascii().eq_ignore_ascii_case(host.as_bytes()))
}

pub fn count_headers(raw: &[u8], name: &str) -> usize {
    Header::of(raw).all(name).count()
}

/// Returns the names of all fields and their folded values.
pub fn header_fields(raw: &[u8]) -> Vec<(&[u8], &[u8])> {
    Header::of(raw).fields
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::entropy::SystemEntropy;

    fn head(helo: &str, from: Option<&str>) -> String {
        let header = ReceivedHeader {
            host: "mx.example",
            with: "ESMTP",
            from,
            helo,
            peer: Some("2001:db8::1".parse().unwrap()),
            rcpt: Some("hello@mx.example"),
        };
        let actor = Actor::operator(Timestamp::from_micros(1_700_000_000_000_000), Arc::new(SystemEntropy));
        String::from_utf8(header.render(&actor)).unwrap()
    }

    #[test]
    fn the_header_describes_the_transaction() {
        let head = head("client.example", Some("bob@a.test"));
        let (start, rest) = head.split_once(" id ").unwrap();
        assert_eq!(
            start,
            "Return-Path: <bob@a.test>\r\nReceived: from client.example ([IPv6:2001:db8::1])\r\n\tby mx.example (Gatepost) with ESMTP"
        );
        assert_eq!(
            rest.split_once("\r\n").unwrap().1,
            "\tfor <hello@mx.example>;\r\n\tTue, 14 Nov 2023 22:13:20 +0000\r\n"
        );
    }

    #[test]
    fn a_peer_cannot_inject_headers() {
        let head = head("a\r\nX: (y", Some("b\r\nX: <z>@c"));
        assert_eq!(head.lines().filter(|line| !line.starts_with('\t')).count(), 2, "{head}");
        assert!(self::head("a", Some("\"b c\"@d.test")).starts_with("Return-Path: <\"b c\"@d.test>\r\n"));
        assert!(self::head("", None).starts_with("Return-Path: <>\r\nReceived: from unknown "));
    }

    #[test]
    fn mail_loops_are_detected() {
        assert!(was_sent_from(b"Subject: a\r\nx-gatepost-loop: MX.example\r\n\r\n", "mx.example"));
        assert!(!was_sent_from(
            b"X-Gatepost-Loop: other.example\r\n\r\nX-Gatepost-Loop: mx.example",
            "mx.example"
        ));
    }
}
