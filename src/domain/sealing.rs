//! The instance's secret key, and the keys derived from it.

use std::fmt;

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::entropy::{self, Entropy};

/// 32 bytes that never leave the process. `Debug` hides them.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

#[derive(Debug)]
pub struct NotOpened;

const NONCE: usize = 24;

impl SecretKey {
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Zeroizing::new(entropy::bytes(entropy)))
    }

    /// Parses 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut key = Zeroizing::new([0; 32]);
        for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(key))
    }

    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(&*self.0))
    }

    /// HMAC-SHA-256 of `purpose`: a separate key for each use.
    fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(&*self.0).expect("HMAC takes a key of any length");
        mac.update(purpose.as_bytes());
        Zeroizing::new(mac.finalize().into_bytes().into())
    }

    /// Distinguishes two keys and reveals nothing else about them.
    pub(crate) fn check_value(&self) -> [u8; 16] {
        let derived = self.derive("gatepost key check 1");
        std::array::from_fn(|i| derived[i])
    }

    /// The key in the one-time setup link. It survives a restart and is void once the instance is set up.
    pub fn setup_key(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(&self.derive("gatepost setup address 1")[..16]))
    }

    /// 64 bytes that sign the dashboard's cookies.
    pub(crate) fn cookie_key(&self) -> Zeroizing<[u8; 64]> {
        let halves = [self.derive("gatepost cookie 1"), self.derive("gatepost cookie 2")];
        Zeroizing::new(std::array::from_fn(|i| halves[i / 32][i % 32]))
    }

    /// Proves that this instance wrote the cookie of a known browser.
    pub(crate) fn browser_mark(&self, of: &[&[u8]]) -> [u8; 16] {
        let key = self.derive("gatepost known browser 1");
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(&*key).expect("HMAC takes a key of any length");
        for part in of {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let whole: [u8; 32] = mac.finalize().into_bytes().into();
        std::array::from_fn(|i| whole[i])
    }

    /// Encrypts `plain` with XChaCha20-Poly1305. Only [`Self::open`] with the same `context` decrypts it.
    pub(crate) fn seal(&self, plain: &[u8], context: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let nonce: [u8; NONCE] = entropy::bytes(entropy);
        let sealed = self
            .cipher()
            .encrypt(&nonce.into(), Payload { msg: plain, aad: context })
            .expect("sealing a few bytes cannot fail");
        [nonce.as_slice(), &sealed].concat()
    }

    /// # Errors
    /// [`NotOpened`] if the key, the context or a bit differs from [`Self::seal`].
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(NotOpened)?;
        self.cipher()
            .decrypt(&(*nonce).into(), Payload { msg: sealed, aad: context })
            .map(Zeroizing::new)
            .map_err(|_| NotOpened)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.derive("gatepost sealed team key 1")).into())
    }
}

/// Decodes 32 hexadecimal digits into 16 bytes.
pub(crate) fn unhex(text: &str) -> Option<[u8; 16]> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(u128::to_be_bytes)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::SystemEntropy;

    #[test]
    fn only_the_same_key_and_context_open() {
        let key = SecretKey::generate(&SystemEntropy);
        let mut sealed = key.seal(b"secret", b"tok_1", &SystemEntropy);
        assert_eq!(key.open(&sealed, b"tok_1").unwrap().as_slice(), b"secret");
        assert!(key.open(&sealed, b"tok_2").is_err());
        assert!(SecretKey::generate(&SystemEntropy).open(&sealed, b"tok_1").is_err());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(key.open(&sealed, b"tok_1").is_err());
        assert!(key.open(b"short", b"tok_1").is_err());
    }

    #[test]
    fn a_key_reads_back_from_hex_and_hides_in_debug() {
        let key = SecretKey::generate(&SystemEntropy);
        let again = SecretKey::parse(&key.to_hex()).unwrap();
        assert_eq!(again.check_value(), key.check_value());
        assert!(SecretKey::parse("zz").is_none());
        assert_eq!(format!("{key:?}"), "SecretKey(…)");
    }
}
