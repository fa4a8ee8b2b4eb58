//! Whether a message has exactly one author, in a header that all mail programs read alike.
//!
//! DMARC checks the domain in From. A message with several, or with a line that some programs take
//! for the end of the header, can show people another author than the one that was checked.

use super::mailboxes::domains_in;
use super::mime::header::{Field, Fields, LARGEST_HEADER};

/// Why a message is refused, from any sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("The header is larger than {} KB", LARGEST_HEADER >> 10)]
    TooLarge,
    #[error("The header has a line that is neither a field nor the continuation of one")]
    Line,
    #[error("The header has no From field")]
    NoFrom,
    #[error("The header has more than one From field")]
    SeveralFroms,
    #[error("The From field must name an author as name@domain")]
    NoAuthor,
    #[error("The From field names authors of more than one domain")]
    SeveralDomains,
    #[error("The From field can be read in more than one way")]
    Ambiguous,
}

/// The domain of the message's author, in lower case and ASCII.
pub fn check(raw: &[u8]) -> Result<String, Malformed> {
    let (mut fields, mut from) = (Fields::of(raw), None);
    while let Some(field) = fields.next() {
        if fields.read > LARGEST_HEADER {
            return Err(Malformed::TooLarge);
        }
        match field {
            Field::Malformed => return Err(Malformed::Line),
            Field::Named { name, value } if name.eq_ignore_ascii_case(b"From") => {
                if from.replace(value).is_some() {
                    return Err(Malformed::SeveralFroms);
                }
            }
            Field::Named { .. } => {}
        }
    }
    one_domain(domains_in(from.ok_or(Malformed::NoFrom)?))
}

fn one_domain(domains: Vec<Option<String>>) -> Result<String, Malformed> {
    let mut domains = domains.into_iter().map(|domain| domain.filter(|domain| has_policy(domain)));
    let first = domains.next().flatten().ok_or(Malformed::NoAuthor)?;
    for domain in domains {
        if domain.ok_or(Malformed::NoAuthor)? != first {
            return Err(Malformed::SeveralDomains);
        }
    }
    Ok(first)
}

/// The longest domain whose `_dmarc` record has a valid name.
const LONGEST_DOMAIN: usize = 253 - "_dmarc.".len();

/// Whether the policy of a domain can be looked up. An IP address has none.
fn has_policy(domain: &str) -> bool {
    let hyphens = domain.split('.').any(|label| label.starts_with('-') || label.ends_with('-'));
    domain.starts_with('[') || domain.len() <= LONGEST_DOMAIN && !hyphens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_header(header: &str) -> Result<String, Malformed> {
        check(format!("Subject: x\r\n{header}\r\n\r\nFrom: body@x.test\r\n").as_bytes())
    }

    #[test]
    fn one_author_is_taken_however_it_is_written() {
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
            assert_eq!(of_header(from).as_deref(), Ok("x.test"), "{from}");
        }
        for (from, domain) in
            [("From: jörg@bücher.example", "xn--bcher-kva.example"), ("From: root@localhost", "localhost")]
        {
            assert_eq!(of_header(from).as_deref(), Ok(domain));
        }
        assert_eq!(check(b"From: a@x.test").as_deref(), Ok("x.test"), "without a body");
    }

    #[test]
    fn other_than_one_author_is_refused() {
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
            ("From: a@x.test, b@y.test", Malformed::SeveralDomains),
            ("From: One: a@x.test; Two: b@y.test;", Malformed::SeveralDomains),
            (&many, Malformed::SeveralDomains),
        ] {
            assert_eq!(of_header(header), Err(why), "{header}");
        }
    }

    #[test]
    fn a_line_that_is_no_field_is_refused() {
        for line in ["no field", "Fr om: a@x.test", "Return-Path <b@y.test>", "\0From: b@y.test"] {
            assert_eq!(of_header(&format!("{line}\r\nFrom: a@x.test")), Err(Malformed::Line), "{line}");
        }
        assert_eq!(check(b" From: a@x.test\r\nFrom: a@x.test\r\n\r\n"), Err(Malformed::Line));
        assert_eq!(check(b"From bob Mon Jan 1 12:00\r\nFrom: a@x.test\r\n\r\n"), Err(Malformed::Line));
        assert_eq!(check(b""), Err(Malformed::NoFrom));
    }

    #[test]
    fn a_header_has_a_largest_size() {
        let field = |size: usize| format!("X: {}\r\nFrom: a@x.test", "x".repeat(size));
        assert_eq!(of_header(&field(65_000)).as_deref(), Ok("x.test"));
        assert_eq!(of_header(&field(66_000)), Err(Malformed::TooLarge));
        let fields = "X: y\r\n".repeat(11_000);
        assert_eq!(of_header(&format!("{fields}From: a@x.test")), Err(Malformed::TooLarge));
    }
}
