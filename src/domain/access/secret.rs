//! The format of tokens: `<prefix>_<12 public id><32 secret><6 checksum>`, base62 after the prefix, so
//! that a double-click selects the whole token.
//!
//! The checksum is the CRC32 of everything before it: a mistyped token is refused without a query. A token
//! has 190 random bits, so one SHA-256 is enough to store it; argon2id is for passwords, which people
//! choose.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::domain::entropy::Entropy;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PUBLIC_ID: usize = 12;
const SECRET: usize = 32;
const CHECKSUM: usize = 6;
const BODY: usize = PUBLIC_ID + SECRET + CHECKSUM;
/// The number of characters after the prefix that lists show.
const START: usize = 8;

/// 1 to 20 lower-case letters, digits and inner underscores, starting with a letter: `gp`, `si_live`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    pub fn parse(text: &str) -> Option<Self> {
        is_prefix(text.as_bytes()).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns a regular expression that finds tokens in text.
    pub fn pattern(&self) -> String {
        format!(r"\b{}_[0-9A-Za-z]{{{BODY}}}\b", self.0)
    }

    /// Returns that regular expression as a rule for the secret scanner gitleaks.
    pub(crate) fn gitleaks_rule(&self) -> String {
        format!(
            "[[rules]]\nid = \"gatepost-api-token\"\ndescription = \"Gatepost API token\"\nregex = '''{}'''\nkeywords = [\"{}_\"]\n",
            self.pattern(),
            self.0
        )
    }
}

fn is_prefix(text: &[u8]) -> bool {
    let known = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_';
    let starts = text.first().is_some_and(u8::is_ascii_lowercase);
    starts && text.len() <= 20 && !text.ends_with(b"_") && text.iter().all(known)
}

#[derive(Clone)]
pub struct PlainToken(Zeroizing<String>);

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainToken(…)")
    }
}

impl PlainToken {
    pub fn mint(prefix: &Prefix, entropy: &dyn Entropy) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(prefix.0.len() + 1 + BODY));
        text.push_str(&prefix.0);
        text.push('_');
        push_random(&mut text, PUBLIC_ID + SECRET, entropy);
        let sum = checksum(text.as_bytes());
        text.extend(sum.map(char::from));
        Self(text)
    }

    /// The inverse of [`Self::reveal`].
    pub fn restore(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The prefix and the first 8 characters after it, like `gp_1a2b3c4d`.
    pub fn start(&self) -> &str {
        &self.0[..self.0.len() - BODY + START]
    }

    pub fn hashed(&self) -> HashedToken {
        HashedToken::parse(&self.0).expect("minted tokens are well-formed")
    }
}

/// A presented token, reduced to what a lookup needs.
#[derive(Clone, Debug)]
pub struct HashedToken {
    pub id: [u8; PUBLIC_ID],
    hash: [u8; 32],
}

impl HashedToken {
    /// Returns `None` for a text that can't be a token.
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, body) = text.as_bytes().split_last_chunk::<BODY>()?;
        let (signed, sum) = text.as_bytes().split_last_chunk::<CHECKSUM>()?;
        let well_formed = prefix.strip_suffix(b"_").is_some_and(is_prefix)
            // Checks all bytes without stopping at the first bad one, because that can be vectorized.
            && body.iter().fold(true, |so_far, byte| so_far & byte.is_ascii_alphanumeric())
            && checksum(signed) == *sum;
        let id = *body.first_chunk()?;
        well_formed.then(|| Self { id, hash: Sha256::digest(text.as_bytes()).into() })
    }

    pub fn public_id(&self) -> &str {
        std::str::from_utf8(&self.id).expect("the id is alphanumeric")
    }

    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Compares in constant time.
    pub fn matches(&self, stored: &[u8]) -> bool {
        self.hash.as_slice().ct_eq(stored).into()
    }
}

/// Appends `count` uniformly random characters. Skips bytes past the last whole multiple of 62.
fn push_random(text: &mut String, count: usize, entropy: &dyn Entropy) {
    let mut remaining = count;
    let mut pool = Zeroizing::new([0; 64]);
    while remaining > 0 {
        entropy.fill(&mut *pool);
        for byte in pool.iter().filter(|&&byte| byte < 248).take(remaining) {
            text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            remaining -= 1;
        }
    }
}

fn checksum(text: &[u8]) -> [u8; CHECKSUM] {
    let mut value = crc32fast::hash(text) as usize;
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[value % 62];
        value /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::{self, SystemEntropy};

    fn prefix(text: &str) -> Prefix {
        Prefix::parse(text).unwrap()
    }

    #[test]
    fn common_prefixes_are_valid() {
        for text in ["gp", "cb", "si_live", "adraa"] {
            let token = PlainToken::mint(&prefix(text), &SystemEntropy);
            assert_eq!(token.reveal().len(), text.len() + 1 + 50);
            assert_eq!(token.start().len(), text.len() + 1 + 8);
            assert!(HashedToken::parse(token.reveal()).is_some());
        }
        for bad in ["", "_gp", "gp_", "GP", "1a", "a-b", "abcdefghijklmnopqrstu"] {
            assert_eq!(Prefix::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_token_with_one_wrong_character_is_refused() {
        let token = PlainToken::mint(&prefix("gp"), &SystemEntropy);
        for at in 0..token.reveal().len() {
            let mut typo = token.reveal().to_owned().into_bytes();
            typo[at] = if typo[at] == b'x' { b'y' } else { b'x' };
            let typo = String::from_utf8(typo).unwrap();
            assert!(HashedToken::parse(&typo).is_none(), "a typo at {at} was accepted");
        }
    }

    #[test]
    fn invalid_characters_are_refused_even_with_a_valid_checksum() {
        let minted = PlainToken::mint(&prefix("gp"), &SystemEntropy);
        let (signed, _) = minted.reveal().split_at(minted.reveal().len() - CHECKSUM);
        let sign = |text: String| {
            let sum = checksum(text.as_bytes()).map(char::from);
            text + &String::from_iter(sum)
        };
        assert_eq!(sign(signed.to_owned()), minted.reveal());
        for at in "gp_".len()..signed.len() {
            // é takes two bytes, so the public id can end in the middle of it.
            for odd in
                ["-", "_", " ", "/", "\0", "é"].into_iter().filter(|odd| at + odd.len() <= signed.len())
            {
                let text = sign([&signed[..at], odd, &signed[at + odd.len()..]].concat());
                assert!(HashedToken::parse(&text).is_none(), "{odd:?} at {at}");
            }
        }
    }

    #[test]
    fn the_published_pattern_finds_tokens_and_nothing_else() {
        let gp = prefix("gp");
        let pattern = regex::Regex::new(&gp.pattern()).unwrap();
        for _ in 0..10_000 {
            let token = PlainToken::mint(&gp, &SystemEntropy);
            let text = format!("export TOKEN={}\n", token.reveal());
            assert_eq!(pattern.find(&text).unwrap().as_str(), token.reveal());
        }
        for _ in 0..1_000_000 {
            let noise: [u8; 40] = entropy::bytes(&SystemEntropy);
            let text: String = noise.iter().map(|b| char::from(ALPHABET[usize::from(b % 62)])).collect();
            assert!(!pattern.is_match(&text));
            assert!(HashedToken::parse(&text).is_none());
        }
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let token = PlainToken::mint(&prefix("gp"), &SystemEntropy);
        assert_eq!(format!("{token:?}"), "PlainToken(…)");
        assert!(!format!("{:?}", token.hashed()).contains(&token.reveal()[20..40]));
    }

    #[test]
    fn random_characters_are_evenly_distributed() {
        let mut text = String::new();
        push_random(&mut text, 62 * 2000, &SystemEntropy);
        let mut counts = [0_u32; 128];
        text.bytes().for_each(|b| counts[usize::from(b)] += 1);
        for &each in ALPHABET {
            let count = counts[usize::from(each)];
            assert!((1700..2300).contains(&count), "{} occurred {count} times", char::from(each));
        }
    }

    #[test]
    fn malformed_tokens_are_refused() {
        for bad in ["", "gp_", "gp", "gp_é", &"_".repeat(60), &"a".repeat(200), "Bearer gp_x"] {
            assert!(HashedToken::parse(bad).is_none(), "{bad:?}");
        }
    }
}
