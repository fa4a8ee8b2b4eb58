//! Parses the commands of a peer, and preserves the spelling of envelope senders.

use smtp_proto::{Error, Request};

use crate::domain::mailroom::address::MailAddress;

const MAIL_FROM: &[u8] = b"MAIL FROM:";

/// # Errors
/// The parser's error.
pub fn parse_command(line: &[u8]) -> Result<Request<String>, Error> {
    let Some((path, plain)) = unusual_sender(line) else {
        return Request::parse(&mut line.iter()).map(Request::into_owned);
    };
    let request = Request::parse(&mut plain.iter())?.into_owned();
    Ok(match request {
        Request::Mail { mut from } => {
            from.address = path;
            Request::Mail { from }
        }
        other => other,
    })
}

/// Returns a sender with quotes or an IP address, and the line with a plain sender in its place, because the parser
/// removes quotes and refuses IP addresses.
fn unusual_sender(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let (command, rest) = line.split_at_checked(MAIL_FROM.len())?;
    let path =
        rest.trim_ascii_start().strip_prefix(b"<").filter(|_| command.eq_ignore_ascii_case(MAIL_FROM))?;
    let (mut is_quoted, mut is_escaped) = (false, false);
    let end = path.iter().position(|byte| {
        let is_end = *byte == b'>' && !is_quoted;
        is_quoted ^= *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    })?;
    let (address, parameters) = (std::str::from_utf8(&path[..end]).ok()?, &path[end + 1..]);
    // Source routes are ignored (RFC 5321, section 3.6.1).
    let address = match address.strip_prefix('@') {
        Some(route) => route.split_once(':')?.1,
        None => address,
    };
    let is_odd = address.contains('"') || address.ends_with(']');
    if !is_odd || MailAddress::parse(address).is_none() {
        return None;
    }
    let mail = if address.is_ascii() { &b"<a@b.c>"[..] } else { "<ä@b.c>".as_bytes() };
    Some((address.to_owned(), [MAIL_FROM, mail, parameters].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(line: &str) -> Option<(String, usize)> {
        match parse_command(line.as_bytes()) {
            Ok(Request::Mail { from }) => Some((from.address, from.size)),
            _ => None,
        }
    }

    #[test]
    fn quotes_and_ip_addresses_in_senders_are_preserved() {
        for (path, address) in [
            ("ada@a.test", "ada@a.test"),
            ("\"a b\"@a.test", "\"a b\"@a.test"),
            ("\"a\\\"> b\"@a.test", "\"a\\\"> b\"@a.test"),
            ("ada@[192.0.2.1]", "ada@[192.0.2.1]"),
            ("ada@[IPv6:2001:db8::1]", "ada@[IPv6:2001:db8::1]"),
            ("@r.test:\"a b\"@a.test", "\"a b\"@a.test"),
        ] {
            let line = format!("mail from:<{path}> SIZE=12\r\n");
            assert_eq!(sender(&line), Some((address.to_owned(), 12)), "{path}");
        }
        assert_eq!(sender("MAIL FROM: <\"a b\"@a.test>\r\n"), Some(("\"a b\"@a.test".into(), 0)));
        assert_eq!(sender("MAIL FROM:<>\r\n"), Some((String::new(), 0)));
        for path in ["ada@[x]", "\"a@a.test", "\"a\"b\"@a.test"] {
            assert_eq!(sender(&format!("MAIL FROM:<{path}>\r\n")), None, "{path}");
        }
    }
}
