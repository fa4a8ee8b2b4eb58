//! Checks that DMARC can verify the authors of a message, in a header that all mail programs read alike.
//!
//! DMARC checks the domain in From. If a message has two From fields, or a line that some programs take for
//! the end of the header, people can see another author than the one that was checked.
//!
//! Authors of several domains need a Sender from one of them (RFC 5322, section 3.6.2). Then DMARC checks
//! every domain, passes only if all pass, and applies the strictest policy of those that fail (RFC 9989,
//! sections 5.3.1 and 11.5; RFC 7489, section 6.6.1). Sender adds no trust: it doesn't make up for an
//! author's domain that fails.

use super::mailboxes::domains_in;
use super::mime::header::{Field, Fields, MAX_HEADER};

/// Each domain costs several DNS queries.
const MAX_DOMAINS: usize = 5;

/// Why a message is refused from any sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("The header is larger than {} KB", MAX_HEADER >> 10)]
    TooLarge,
    #[error("The header has a line that is neither a field nor the continuation of one")]
    Line,
    #[error("The header has no From field")]
    NoFrom,
    #[error("The header has more than one From field")]
    SeveralFroms,
    #[error("The From field must name an author as name@domain")]
    NoAuthor,
    #[error("The From field names authors of several domains, and there is no Sender field")]
    NoSender,
    #[error(
        "The From field names authors of several domains, and Sender must name one address in one of them"
    )]
    WrongSender,
    #[error("The From field names authors of more than {MAX_DOMAINS} domains")]
    TooManyDomains,
    #[error("The From field can be read in more than one way")]
    Ambiguous,
}

/// Returns the distinct domains of the message's authors, in order, in lower case and ASCII.
pub fn check(raw: &[u8]) -> Result<Vec<String>, Malformed> {
    let (mut fields, mut from, mut senders) = (Fields::of(raw), None, Vec::new());
    while let Some(field) = fields.next() {
        if fields.read > MAX_HEADER {
            return Err(Malformed::TooLarge);
        }
        match field {
            Field::Malformed => return Err(Malformed::Line),
            Field::Named { name, value } if name.eq_ignore_ascii_case(b"From") => {
                if from.replace(value).is_some() {
                    return Err(Malformed::SeveralFroms);
                }
            }
            Field::Named { name, value } if name.eq_ignore_ascii_case(b"Sender") => senders.push(value),
            Field::Named { .. } => {}
        }
    }
    let domains = distinct(domains_in(from.ok_or(Malformed::NoFrom)?))?;
    if domains.len() > 1 {
        check_sender(&senders, &domains)?;
    }
    Ok(domains)
}

fn distinct(authors: Vec<Option<String>>) -> Result<Vec<String>, Malformed> {
    let mut domains: Vec<String> = Vec::new();
    for domain in authors {
        let domain = domain.filter(|domain| can_look_up_policy(domain)).ok_or(Malformed::NoAuthor)?;
        if domains.contains(&domain) {
            continue;
        }
        if domains.len() == MAX_DOMAINS {
            return Err(Malformed::TooManyDomains);
        }
        domains.push(domain);
    }
    if domains.is_empty() { Err(Malformed::NoAuthor) } else { Ok(domains) }
}

fn check_sender(senders: &[&[u8]], authors: &[String]) -> Result<(), Malformed> {
    let sender = match senders {
        [] => return Err(Malformed::NoSender),
        [sender] => domains_in(sender),
        _ => return Err(Malformed::WrongSender),
    };
    match &sender[..] {
        [Some(domain)] if authors.contains(domain) => Ok(()),
        _ => Err(Malformed::WrongSender),
    }
}

/// A longer domain's `_dmarc` record would have an invalid name.
const MAX_DOMAIN: usize = 253 - "_dmarc.".len();

/// Whether the DMARC policy of a domain can be looked up. An IP address has none, so it passes.
fn can_look_up_policy(domain: &str) -> bool {
    let hyphens = domain.split('.').any(|label| label.starts_with('-') || label.ends_with('-'));
    domain.starts_with('[') || domain.len() <= MAX_DOMAIN && !hyphens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_header(header: &str) -> Result<Vec<String>, Malformed> {
        check(format!("Subject: x\r\n{header}\r\n\r\nFrom: body@x.test\r\n").as_bytes())
    }

    fn one(domain: &str) -> Result<Vec<String>, Malformed> {
        Ok(vec![domain.to_owned()])
    }

    #[test]
    fn one_authors_domain_is_accepted_in_any_valid_form() {
        for from in [
            "From: a@x.test",
            "from:a@x.test",
            "FROM : \"b@y.test\" <a@x.test>",
            "From: b@y.test <a@x.test>",
            "From: =?utf-8?q?J=C3=B6rg?=\r\n <a@x.test> (b@y.test)",
            "From: a@x.test, B <b@X.test>",
            "From: Team: a@x.test, b@x.test;",
            "From: =?utf-8?q?j=C3=B6rg?=@x.test",
            "X: y\r\n \r\nFrom: a@x.test",
        ] {
            assert_eq!(of_header(from), one("x.test"), "{from}");
        }
        for (from, domain) in
            [("From: jörg@bücher.example", "xn--bcher-kva.example"), ("From: root@localhost", "localhost")]
        {
            assert_eq!(of_header(from), one(domain));
        }
        assert_eq!(check(b"From: a@x.test"), one("x.test"), "without a body");
    }

    #[test]
    fn a_missing_or_ambiguous_author_is_refused() {
        let long = format!("From: a@{}x.test", "a23456789.".repeat(25));
        let many = format!("From: {}b@y.test", "a@x.test, ".repeat(1000));
        for (header, why) in [
            ("To: a@x.test", Malformed::NoFrom),
            ("From: a@x.test\r\nTo: b@y.test\r\nfrom: a@x.test", Malformed::SeveralFroms),
            ("From: a@x.test\r\nFrom : b@y.test", Malformed::SeveralFroms),
            ("From:", Malformed::NoAuthor),
            ("From: Ada", Malformed::NoAuthor),
            ("From: undisclosed:;", Malformed::NoAuthor),
            ("From: <>", Malformed::NoAuthor),
            ("From: <root>", Malformed::NoAuthor),
            ("From: a@", Malformed::NoAuthor),
            ("From: a@x.test..", Malformed::NoAuthor),
            ("From: a@[127.0.0.1", Malformed::NoAuthor),
            ("From: a@-.x.test", Malformed::NoAuthor),
            ("From: a@x-.test", Malformed::NoAuthor),
            (&long, Malformed::NoAuthor),
            ("From\x0c: a@x.test", Malformed::Line),
            ("From: <a@x.test> <b@y.test>", Malformed::NoAuthor),
            ("From: a@x.test, <root>", Malformed::NoAuthor),
            ("From: a@x.test, b@y.test", Malformed::NoSender),
            ("From: One: a@x.test; Two: b@y.test;", Malformed::NoSender),
            (&many, Malformed::NoSender),
        ] {
            assert_eq!(of_header(header), Err(why), "{header}");
        }
    }

    #[test]
    fn authors_of_several_domains_need_a_sender_from_one_of_them() {
        let from = "From: a@x.test, B <b@Y.test>, c@x.test";
        for (sender, expected) in [
            ("Sender: a@x.test", Ok(())),
            ("sender : \"x@y\" <press@y.test> (for both)", Ok(())),
            ("X: y", Err(Malformed::NoSender)),
            ("Sender:", Err(Malformed::WrongSender)),
            ("Sender: Ada", Err(Malformed::WrongSender)),
            ("Sender: a@z.test", Err(Malformed::WrongSender)),
            ("Sender: a@sub.x.test", Err(Malformed::WrongSender)),
            ("Sender: a@x.test, b@y.test", Err(Malformed::WrongSender)),
            ("Sender: a@x.test\r\nSender: a@x.test", Err(Malformed::WrongSender)),
        ] {
            let domains = expected.map(|()| vec!["x.test".to_owned(), "y.test".to_owned()]);
            assert_eq!(of_header(&format!("{from}\r\n{sender}")), domains, "{sender}");
            assert_eq!(of_header(&format!("{sender}\r\n{from}")), domains, "{sender} first");
        }
        assert_eq!(of_header("From: a@x.test\r\nSender: b@y.test"), one("x.test"), "one domain");
        let from = |count: usize| (0..count).map(|n| format!("a@{n}.test")).collect::<Vec<_>>().join(", ");
        let sent = |count| of_header(&format!("From: {}\r\nSender: a@0.test", from(count)));
        assert_eq!(sent(MAX_DOMAINS).map(|domains| domains.len()), Ok(MAX_DOMAINS));
        assert_eq!(sent(MAX_DOMAINS + 1), Err(Malformed::TooManyDomains));
    }

    #[test]
    fn a_header_line_that_is_not_a_field_is_refused() {
        for line in ["no field", "Fr om: a@x.test", "Return-Path <b@y.test>", "\0From: b@y.test"] {
            assert_eq!(of_header(&format!("{line}\r\nFrom: a@x.test")), Err(Malformed::Line), "{line}");
        }
        assert_eq!(check(b" From: a@x.test\r\nFrom: a@x.test\r\n\r\n"), Err(Malformed::Line));
        assert_eq!(check(b"From bob Mon Jan 1 12:00\r\nFrom: a@x.test\r\n\r\n"), Err(Malformed::Line));
        assert_eq!(check(b""), Err(Malformed::NoFrom));
    }

    #[test]
    fn a_header_that_is_too_large_is_refused() {
        let field = |size: usize| format!("X: {}\r\nFrom: a@x.test", "x".repeat(size));
        assert_eq!(of_header(&field(65_000)), one("x.test"));
        assert_eq!(of_header(&field(66_000)), Err(Malformed::TooLarge));
        let fields = "X: y\r\n".repeat(11_000);
        assert_eq!(of_header(&format!("{fields}From: a@x.test")), Err(Malformed::TooLarge));
    }
}
