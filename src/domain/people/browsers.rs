//! Browsers that an account has signed in with before. Strangers who guess its password must not lock its
//! owner out, so a known browser has its own limit of attempts.
//!
//! The cookie is not a session. It names no account, but contains a mark for each account that signed in,
//! which only this instance can make and verify against the account's row. A new password invalidates all
//! marks: otherwise someone who knew the old one could collect cookies, and with them attempts.

use subtle::ConstantTimeEq;

use super::users::User;
use crate::domain::entropy::{self, Entropy};
use crate::domain::sealing::{SecretKey, hex, unhex};

/// The maximum accounts per browser. Earlier ones are dropped.
const ACCOUNTS: usize = 4;

type Id = [u8; 16];
type Mark = [u8; 16];

struct Browser {
    id: Id,
    marks: Vec<Mark>,
}

pub struct Presented {
    key: SecretKey,
    browser: Option<Browser>,
}

impl Presented {
    /// Ignores a cookie that this server didn't write.
    pub fn new(key: SecretKey, cookie: Option<&str>) -> Self {
        Self { key, browser: cookie.and_then(Browser::parse) }
    }

    /// Returns the browser's id if this account has signed in there.
    pub(crate) fn known_to(&self, user: &User) -> Option<Id> {
        let browser = self.browser.as_ref()?;
        let mark = self.mark(&browser.id, user);
        let known = browser.marks.iter().any(|each| each.ct_eq(&mark).into());
        known.then_some(browser.id)
    }

    /// Returns the cookie to set after this account has signed in.
    pub(crate) fn cookie_after(&self, user: &User, entropy: &dyn Entropy) -> String {
        let id = self.browser.as_ref().map_or_else(|| entropy::bytes(entropy), |browser| browser.id);
        let mark = self.mark(&id, user);
        let earlier = self.browser.iter().flat_map(|browser| &browser.marks).filter(|each| **each != mark);
        let marks = std::iter::once(&mark).chain(earlier).take(ACCOUNTS);
        marks.fold(hex(&id), |cookie, mark| cookie + "." + &hex(mark))
    }

    fn mark(&self, id: &Id, user: &User) -> Mark {
        self.key.browser_mark(&[id, user.id.to_string().as_bytes(), user.password_hash.as_bytes()])
    }
}

impl Browser {
    fn parse(cookie: &str) -> Option<Self> {
        let mut parts = cookie.split('.').map(unhex);
        let id = parts.next()??;
        let marks = parts.take(ACCOUNTS).collect::<Option<_>>()?;
        Some(Self { id, marks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::entropy::SystemEntropy;
    use crate::domain::people::users::UserId;

    fn user(number: u8, password_hash: &str) -> User {
        let now = Timestamp::from_micros(0);
        User {
            id: UserId::new(now, [number; 8]),
            email: String::new(),
            email_key: String::new(),
            name: String::new(),
            password_hash: password_hash.into(),
            password_changed_at: now,
            created_at: now,
            vouched_by: None,
        }
    }

    #[test]
    fn a_browser_is_known_to_the_accounts_that_signed_in_there() {
        let key = SecretKey::generate(&SystemEntropy);
        let presented = |cookie: &str| Presented::new(key.clone(), Some(cookie));
        let (ada, bea) = (user(1, "one"), user(2, "two"));
        let first = Presented::new(key.clone(), None).cookie_after(&ada, &SystemEntropy);
        assert!(presented(&first).known_to(&ada).is_some());
        assert!(presented(&first).known_to(&bea).is_none());
        let both = presented(&first).cookie_after(&bea, &SystemEntropy);
        assert_eq!(presented(&both).known_to(&ada), presented(&both).known_to(&bea));
        assert!(presented(&both).known_to(&ada).is_some());
        assert_eq!(presented(&both).cookie_after(&bea, &SystemEntropy), both, "it stays as it is");
        assert!(presented(&both).known_to(&user(1, "changed")).is_none());
        let many = (3..9).fold(both, |cookie, number| {
            presented(&cookie).cookie_after(&user(number, "other"), &SystemEntropy)
        });
        assert!(presented(&many).known_to(&ada).is_none() && many.len() == 5 * 33 - 1);
    }

    #[test]
    fn a_cookie_cannot_be_forged() {
        let (key, other) = (SecretKey::generate(&SystemEntropy), SecretKey::generate(&SystemEntropy));
        let ada = user(1, "one");
        let foreign = Presented::new(other, None).cookie_after(&ada, &SystemEntropy);
        let own = Presented::new(key.clone(), None).cookie_after(&ada, &SystemEntropy);
        let moved = format!("{}.{}", "0".repeat(32), own.split_once('.').unwrap().1);
        for bad in [foreign.as_str(), &moved, "", ".", &own[1..], &own.replace('.', ""), &"é".repeat(16)] {
            assert!(Presented::new(key.clone(), Some(bad)).known_to(&ada).is_none(), "{bad}");
        }
    }
}
