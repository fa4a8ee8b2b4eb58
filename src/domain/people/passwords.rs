//! Passwords: argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane).
//!
//! Hashing takes about 16 ms and 19 MiB on purpose. Call it only through the app, which limits the threads,
//! and never inside a transaction.

use std::collections::BTreeSet;
use std::fmt;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::domain::FieldError;
use crate::domain::entropy::{self, Entropy};

const MIN_LENGTH: usize = 12;
const MAX_LENGTH: usize = 256;
const MIN_DIFFERENT: usize = 5;
const MIN_OWN: usize = 5;
/// Longer texts come before those that they contain. `static/js/people.js` has the same list.
const COMMON: [&str; 15] = [
    "1234567890",
    "12345678",
    "123456",
    "1234",
    "123",
    "password",
    "passw0rd",
    "qwertyuiop",
    "qwerty",
    "asdfgh",
    "letmein",
    "welcome",
    "iloveyou",
    "gatepost",
    "abcdef",
];
const PARAMETERS: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    /// Parses a new password. Any characters are allowed.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, FieldError> {
        let message = match text.chars().count() {
            0 => "Enter a password.".to_owned(),
            n if n < MIN_LENGTH => {
                format!("Use at least {MIN_LENGTH} characters (you typed {n}).")
            }
            n if n > MAX_LENGTH => format!("Use at most {MAX_LENGTH} characters (you typed {n})."),
            _ if repeats_itself(text) => "Use more different characters. This repeats only a few.".to_owned(),
            _ if is_common(text) => {
                "Choose a less common password. Ones like this are easy to guess.".to_owned()
            }
            _ => return Ok(Self(Zeroizing::new(text.to_owned()))),
        };
        Err(FieldError::new(field, message))
    }

    /// A password to compare. One that is too long matches nothing.
    pub fn unchecked(text: &str) -> Self {
        let kept = if text.chars().count() > MAX_LENGTH { "" } else { text };
        Self(Zeroizing::new(kept.to_owned()))
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn repeats_itself(text: &str) -> bool {
    text.chars().collect::<BTreeSet<_>>().len() < MIN_DIFFERENT
}

/// Whether few characters remain without the texts of common passwords.
fn is_common(text: &str) -> bool {
    let rest = COMMON.iter().fold(text.to_lowercase(), |rest, part| rest.replace(part, ""));
    rest.chars().count() < MIN_OWN
}

#[derive(Clone)]
pub struct Hashed(String);

impl Hashed {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub fn hash(password: &Password, entropy: &dyn Entropy) -> Hashed {
    let salt: [u8; 16] = entropy::bytes(entropy);
    let hash: PasswordHash =
        Argon2::default().hash_password_with_salt(password.bytes(), &salt).expect("the parameters are valid");
    Hashed(hash.to_string())
}

pub(crate) fn verify(password: &Password, phc: &str) -> bool {
    PasswordHash::new(phc)
        .is_ok_and(|hash| Argon2::default().verify_password(password.bytes(), &hash).is_ok())
}

/// The hash of no known password. The password for an unknown account is compared with it, so that the
/// response takes as long as for a known account.
pub(crate) fn decoy(entropy: &dyn Entropy) -> Hashed {
    let [salt, output] = [16, 32].map(|length| {
        let mut noise = vec![0; length];
        entropy.fill(&mut noise);
        BASE64_STANDARD_NO_PAD.encode(noise)
    });
    Hashed(format!("{PARAMETERS}{salt}${output}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::SystemEntropy;

    #[test]
    fn the_hash_is_argon2id_with_owasps_parameters() {
        let password = Password::parse("password", "correct horse battery").unwrap();
        let hashed = hash(&password, &SystemEntropy);
        assert!(hashed.as_str().starts_with(PARAMETERS), "{}", hashed.as_str());
        assert!(verify(&password, hashed.as_str()));
        assert!(!verify(&Password::unchecked("correct horse batterz"), hashed.as_str()));
    }

    #[test]
    fn the_decoy_is_verified_as_any_hash_and_matches_nothing() {
        let password = Password::parse("password", "correct horse battery").unwrap();
        let (decoy, real) = (decoy(&SystemEntropy), hash(&password, &SystemEntropy));
        let shape = |hashed: &Hashed| {
            let hash = PasswordHash::new(hashed.as_str()).unwrap();
            let lengths = (hash.salt.unwrap().len(), hash.hash.unwrap().len());
            (hash.algorithm, hash.version, hash.params, lengths)
        };
        assert_eq!(shape(&decoy), shape(&real));
        assert!(!verify(&password, decoy.as_str()));
    }

    #[test]
    fn short_long_and_uniform_passwords_are_refused() {
        for bad in ["", "short", &"x".repeat(20), &"abcd".repeat(4), &"ab".repeat(129)] {
            assert!(Password::parse("password", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn passwords_made_of_common_ones_are_refused() {
        for bad in [
            "password1234",
            "Passw0rd123456",
            "123456789012",
            "qwertyuiop123",
            "Welcome1234!!",
            "gatepost-1234",
        ] {
            assert!(Password::parse("password", bad).is_err(), "{bad:?}");
        }
        for good in
            ["correct horse battery", "welcome to the jungle", "another long password", "m4Q!v9Zp_x7L"]
        {
            assert!(Password::parse("password", good).is_ok(), "{good:?}");
        }
    }
}
