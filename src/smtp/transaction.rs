//! The sender and recipients of a message, from MAIL to DATA.

use smtp_proto::{MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MAIL_SMTPUTF8, MailFrom, RcptTo};

use super::reply::{self, Reply};
use crate::domain::mailroom::route::Recipient;

/// The supported parameters of MAIL, apart from SIZE.
const SUPPORTED: u64 = MAIL_BODY_7BIT | MAIL_BODY_8BITMIME | MAIL_SMTPUTF8;

pub struct Transaction {
    /// `None` for a bounce, whose sender is `<>`.
    pub from: Option<String>,
    pub utf8: bool,
    pub recipients: Vec<Recipient>,
}

impl Transaction {
    /// # Errors
    /// The reply that refuses the sender, the size or a parameter.
    pub fn begin(mail: MailFrom<String>, size: usize) -> Result<Self, Reply> {
        let utf8 = mail.flags & MAIL_SMTPUTF8 != 0;
        if has_unknown(&mail) {
            return Err(reply::UNKNOWN_PARAMETER);
        }
        if mail.size > size {
            return Err(reply::TOO_LARGE);
        }
        if !utf8 && !mail.address.is_ascii() {
            return Err(reply::ASCII_ONLY);
        }
        let from = (!mail.address.is_empty()).then_some(mail.address);
        Ok(Self { from, utf8, recipients: Vec::new() })
    }

    /// Returns a recipient's address. `line` is the raw command, because a bare `<postmaster>` is parsed
    /// as an empty address.
    ///
    /// # Errors
    /// The reply that refuses the address or a parameter.
    pub fn address(&self, to: RcptTo<String>, line: &[u8], domain: &str) -> Result<String, Reply> {
        if to.flags != 0 || to.orcpt.is_some() || to.rrvs != 0 {
            return Err(reply::UNKNOWN_PARAMETER);
        }
        if to.address.is_empty() {
            let named = line.to_ascii_lowercase().windows(12).any(|part| part == b"<postmaster>");
            return if named { Ok(format!("postmaster@{domain}")) } else { Err(reply::BAD_RECIPIENT) };
        }
        if !self.utf8 && !to.address.is_ascii() {
            return Err(reply::ASCII_ONLY);
        }
        Ok(to.address)
    }
}

fn has_unknown(mail: &MailFrom<String>) -> bool {
    let expected = MailFrom {
        address: mail.address.clone(),
        flags: mail.flags & SUPPORTED,
        size: mail.size,
        ..MailFrom::default()
    };
    *mail != expected
}
