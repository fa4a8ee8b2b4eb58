//! Email addresses and domains. They are compared in lower case.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::domain::FieldError;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MailAddress {
    local: String,
    domain: String,
}

/// The maximum length of a local part and of an address (RFC 5321, section 4.5.3.1).
const MAX_LOCAL: usize = 64;
const MAX_ADDRESS: usize = 254;

impl MailAddress {
    /// Parses an address without angle brackets. Converts international domains to ASCII, and removes
    /// unnecessary quotes from the local part.
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let local = match local.strip_prefix('"').and_then(|local| local.strip_suffix('"')) {
            Some(quoted) => canonical_local(&unescaped(quoted)?)?,
            None if local.chars().any(|c| c.is_whitespace() || SPECIALS.contains(c)) => return None,
            None => canonical_local(local)?,
        };
        let domain = literal(domain).or_else(|| ascii_domain(domain))?;
        let fits = local.len() <= MAX_LOCAL && local.len() + 1 + domain.len() <= MAX_ADDRESS;
        fits.then_some(Self { local, domain })
    }

    pub fn local(&self) -> &str {
        &self.local
    }

    pub fn domain(&self) -> &str {
        &self.domain
    }

    pub fn local_key(&self) -> String {
        self.local.to_lowercase()
    }

    /// Returns `ada` for `ada+news`.
    pub(crate) fn tag_base(&self) -> Option<String> {
        base_of(&self.local_key())
    }

    pub(crate) fn is_postmaster(&self) -> bool {
        self.local.eq_ignore_ascii_case(POSTMASTER)
    }

    /// Equal for all spellings of an address.
    pub fn key(&self) -> String {
        format!("{}@{}", self.local_key(), self.domain)
    }
}

fn base_of(key: &str) -> Option<String> {
    let (base, _) = key.split_once('+')?;
    (!base.is_empty()).then(|| base.to_owned())
}

impl std::fmt::Display for MailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

pub(crate) const POSTMASTER: &str = "postmaster";

const SPECIALS: &str = "<>()[],;:\\\"@";

/// Adds quotes to an unquoted local part if it needs them (RFC 5321, section 4.1.2).
pub(crate) fn canonical_local(text: &str) -> Option<String> {
    if text.is_empty() || text.contains(char::is_control) {
        return None;
    }
    Some(match text.contains(|c: char| c.is_whitespace() || SPECIALS.contains(c)) {
        true => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        false => text.to_owned(),
    })
}

/// Returns the content of a quoted local part, or `None` if it contains an unescaped quote.
fn unescaped(quoted: &str) -> Option<String> {
    let (mut text, mut letters) = (String::new(), quoted.chars());
    while let Some(c) = letters.next() {
        match c {
            '"' => return None,
            '\\' => text.push(letters.next()?),
            c => text.push(c),
        }
    }
    Some(text)
}

/// An IP address in brackets, in place of a domain (RFC 5321, section 4.1.3).
pub(crate) fn literal(text: &str) -> Option<String> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?.trim();
    match inner.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:")) {
        Some(_) => inner[5..].parse::<Ipv6Addr>().ok().map(|ip| format!("[IPv6:{ip}]")),
        None => inner.parse::<Ipv4Addr>().ok().map(|ip| format!("[{ip}]")),
    }
}

/// Returns a domain in lower case and ASCII.
pub(crate) fn ascii_domain(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let ascii = idna::domain_to_ascii(text).ok()?;
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    (ascii.len() <= 253 && ascii.split('.').all(label)).then_some(ascii)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainName(String);

impl DomainName {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let name = ascii_domain(text.trim()).filter(|name| {
            let hyphens = name.split('.').any(|label| label.starts_with('-') || label.ends_with('-'));
            let digits = name.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit()));
            name.contains('.') && !name.contains('_') && !hyphens && !digits
        });
        name.map(Self).ok_or_else(|| FieldError::new("name", "Enter a domain, like mail.example.com."))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPart(String);

impl LocalPart {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let text = text.trim();
        let is_valid = (1..=MAX_LOCAL).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte))
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-')
            && !text.contains("..");
        let message = "Use 1 to 64 letters, digits, dots, hyphens, underscores or plus signs, like hello.";
        match is_valid {
            true => Ok(Self(text.to_owned())),
            false => Err(FieldError::new("localPart", message)),
        }
    }

    pub fn random(entropy: &dyn crate::domain::entropy::Entropy) -> Self {
        // Leaves out characters that look or sound alike.
        const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
        let bytes = crate::domain::entropy::bytes::<10>(entropy);
        Self(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }

    pub(crate) fn tag_base(&self) -> Option<String> {
        base_of(&self.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_an_address_have_the_same_key() {
        let address = MailAddress::parse("Ada+News@EXAMPLE.com.").unwrap();
        assert_eq!(address.key(), "ada+news@example.com");
        assert_eq!(address.tag_base().as_deref(), Some("ada"));
        assert_eq!(MailAddress::parse("+x@a.test").unwrap().tag_base(), None);
        assert_eq!(MailAddress::parse("jörg@bücher.example").unwrap().domain(), "xn--bcher-kva.example");
        for bad in [
            "ada",
            "@a.test",
            "ada@",
            "a b@c.test",
            "a\r\n@b.test",
            "a@b..c",
            "<a@b.c>",
            "a@[x]",
            "\"a\"b\"@c.test",
        ] {
            assert_eq!(MailAddress::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn unnecessary_quotes_are_removed() {
        for (text, address) in [
            ("\"ada\"@a.test", "ada@a.test"),
            ("\"a\\da\"@a.test", "ada@a.test"),
            ("\"a b\"@a.test", "\"a b\"@a.test"),
            ("\"a\\\"@b\"@a.test", "\"a\\\"@b\"@a.test"),
            ("ada@[192.0.2.1]", "ada@[192.0.2.1]"),
            ("ada@[ipv6:2001:DB8::1]", "ada@[IPv6:2001:db8::1]"),
        ] {
            assert_eq!(MailAddress::parse(text).map(|it| it.to_string()).as_deref(), Some(address), "{text}");
        }
    }

    #[test]
    fn domain_names_are_validated() {
        assert_eq!(DomainName::parse(" Mail.Example.COM. ").unwrap().as_str(), "mail.example.com");
        for bad in
            ["com", "a_b.test", "-a.test", "a-.test", "10.0.0.1", "a b.test", "", "a..test", "http://a.test"]
        {
            assert!(DomainName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn local_parts_are_validated() {
        assert_eq!(LocalPart::parse(" Sales.EU ").unwrap().key(), "sales.eu");
        for bad in ["", ".a", "a.", "a..b", "a b", "a@b", "ä", &"x".repeat(65)] {
            assert!(LocalPart::parse(bad).is_err(), "{bad:?}");
        }
    }
}
