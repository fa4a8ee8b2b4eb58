//! The two protocols for incoming mail.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Smtp,
    Lmtp,
}

impl Protocol {
    /// The name by RFC 3848 and RFC 6531.
    pub fn name(self, extended: bool, secured: bool, utf8: bool) -> &'static str {
        match (self, extended, secured, utf8) {
            (Self::Smtp, false, ..) => "SMTP",
            (Self::Smtp, true, false, false) => "ESMTP",
            (Self::Smtp, true, true, false) => "ESMTPS",
            (Self::Smtp, true, false, true) => "UTF8SMTP",
            (Self::Smtp, true, true, true) => "UTF8SMTPS",
            (Self::Lmtp, _, false, false) => "LMTP",
            (Self::Lmtp, _, true, false) => "LMTPS",
            (Self::Lmtp, _, false, true) => "UTF8LMTP",
            (Self::Lmtp, _, true, true) => "UTF8LMTPS",
        }
    }
}
