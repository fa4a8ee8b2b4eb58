//! Detects names with several SPF or DMARC records, although only one may exist (RFC 7208, section 4.5; RFC 9989,
//! section 4.10). The library would use the first one that it can parse.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Instant;

use hickory_resolver::proto::rr::{Name, RData};
use mail_auth::{DnsError, Error, MessageAuthenticator, ResolverCache, Txt};
use parking_lot::Mutex;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Spf,
    Dmarc,
}

impl Kind {
    fn matches(self, record: &[u8]) -> bool {
        let (version, ends): (&[u8], fn(&u8) -> bool) = match self {
            Self::Spf => (b"v=spf1", |byte| byte.is_ascii_whitespace()),
            Self::Dmarc => (b"v=DMARC1", |byte| matches!(byte, b' ' | b'\t' | b';')),
        };
        // DMARC allows white space around the equals sign.
        let record: Vec<u8> = match self {
            Self::Spf => record.to_vec(),
            Self::Dmarc => {
                let equals = record.iter().position(|byte| *byte == b'=').unwrap_or(0);
                let (name, value) = record.split_at(equals);
                [name.trim_ascii(), b"=", value.get(1..).unwrap_or_default().trim_ascii_start()].concat()
            }
        };
        let begins = record.get(..version.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(version));
        begins && record.get(version.len()).is_none_or(ends)
    }

    /// The equivalent of several records with one name: an error for SPF, and no record for DMARC.
    fn several(self) -> Txt {
        Txt::Error(match self {
            Self::Spf => Error::ParseError,
            Self::Dmarc => Error::Dns(DnsError::InvalidRecordType),
        })
    }
}

/// The answers during a check, and their replacements.
#[derive(Default)]
pub struct Answers {
    asked: Mutex<Vec<Box<str>>>,
    replaced: Mutex<HashMap<Box<str>, Txt>>,
}

impl ResolverCache<Box<str>, Txt> for Answers {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.replaced.lock().get(name).cloned()
    }

    fn remove<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.replaced.lock().remove(name)
    }

    fn insert(&self, name: Box<str>, _: Txt, _: Instant) {
        self.asked.lock().push(name);
    }
}

impl Answers {
    /// Replaces answers with several records. Returns whether there are any, so that the check must be repeated. The
    /// resolver has cached the answers, so this sends no query.
    pub async fn replace_several(&self, kind: Kind, with: &MessageAuthenticator) -> bool {
        let asked = std::mem::take(&mut *self.asked.lock());
        let mut is_any = false;
        for name in asked {
            if records(with, &name).await.iter().filter(|record| kind.matches(record)).count() > 1 {
                is_any |= self.replaced.lock().insert(name, kind.several()).is_none();
            }
        }
        is_any
    }
}

async fn records(with: &MessageAuthenticator, name: &str) -> Vec<Vec<u8>> {
    let Ok(name) = Name::from_str_relaxed(name) else { return Vec::new() };
    let Ok(lookup) = with.0.txt_lookup(name).await else { return Vec::new() };
    let texts = lookup.answers().iter().filter_map(|record| match &record.data {
        RData::TXT(txt) => Some(txt.txt_data.iter().flat_map(|part| part.to_vec()).collect()),
        _ => None,
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::Kind::{Dmarc, Spf};

    #[test]
    fn records_are_recognized_by_their_version() {
        for (kind, record, is_one) in [
            (Spf, "v=spf1 -all", true),
            (Spf, "V=SPF1", true),
            (Spf, "v=spf10 -all", false),
            (Spf, "v = spf1 -all", false),
            (Dmarc, "v=DMARC1; p=none", true),
            (Dmarc, "v = DMARC1 ;p=none", true),
            (Dmarc, "v=DMARC10", false),
            (Dmarc, "verification=1", false),
        ] {
            assert_eq!(kind.matches(record.as_bytes()), is_one, "{record}");
        }
    }
}
