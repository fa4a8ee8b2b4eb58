//! The way of a message from a door, or an operator's hand, to the store: whether it has one
//! author, whether it was here before, who sent it, and what is written on top of it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::App;
use super::inbound::{Delivered, Envelope, Undelivered};
use super::memory::Share;
use crate::dns::{Dns, Sender};
use crate::domain::mailroom::authentication::Authentication;
use crate::domain::mailroom::authors::{self, Malformed};
use crate::domain::mailroom::receive::{Outcome, Recipient, Unroutable};
use crate::domain::mailroom::received_header::{self, ReceivedHeader};

/// A message as it was handed over.
pub struct Submission {
    pub envelope: Envelope,
    /// What was spoken, such as `ESMTPS`.
    pub with: &'static str,
    /// Whoever is connected; nobody where an operator puts a message in by hand, and then
    /// nobody is asked who sent it.
    pub peer: Option<IpAddr>,
    pub raw: Vec<u8>,
    pub to: Vec<Recipient>,
    /// Of the memory for messages on their way.
    pub share: Share,
}

impl App {
    /// The name of this mail server; see [`crate::config::Mail::host`].
    pub fn mail_host(&self) -> String {
        let config = self.config();
        config.mail.host(config.public_url.as_ref())
    }

    pub fn dns(&self) -> &Dns {
        &self.0.dns
    }

    /// What became of a message, for each recipient in their order. Whatever is `Ok` and was
    /// not refused is on disk.
    pub async fn accept_message(&self, submission: Submission) -> Vec<Delivered> {
        let host = self.mail_host();
        let Submission { envelope, with, peer, mut raw, to, share } = submission;
        let author = match authors::check(&raw) {
            Ok(domain) => domain,
            Err(why) => return vec![Ok(Outcome::Malformed(why)); to.len()],
        };
        if received_header::is_marked(&raw, &host) {
            return vec![Ok(Outcome::Refused(Unroutable::Loop)); to.len()];
        }
        if let Some(ip) = envelope.ip
            && !self.may_send(ip, copies(&to), raw.len())
        {
            return vec![Ok(Outcome::Refused(Unroutable::TooMuch)); to.len()];
        }
        let authentication = match peer {
            Some(_) => match self.authenticate(&raw, &author, &envelope, &host).await {
                Some(authentication) => authentication,
                None => return vec![Ok(Outcome::Malformed(Malformed::Ambiguous)); to.len()],
            },
            None => Authentication::default(),
        };
        // By LMTP, SPF cannot be asked: the server in front is the one to refuse.
        if envelope.ip.is_some() && authentication.is_undecided() {
            return vec![Err(Undelivered::Unverified); to.len()];
        }
        let way = ReceivedHeader {
            host: &host,
            with,
            from: envelope.from.as_deref(),
            helo: &envelope.helo,
            peer,
            rcpt: if let [only] = &to[..] { Some(&only.address) } else { None },
        };
        raw.splice(..0, way.head(&self.system()));
        self.deliver_sharing(share, envelope, raw, authentication, to).await
    }

    /// Nothing when the header names another author to those who authenticate it.
    async fn authenticate(
        &self,
        raw: &[u8],
        author: &str,
        envelope: &Envelope,
        host: &str,
    ) -> Option<Authentication> {
        let Envelope { ip, helo, from, .. } = envelope;
        let sender = Sender { ip: *ip, helo, from: from.as_deref(), author, host };
        self.dns().authenticate(raw, sender).await
    }
}

/// How many copies of a message are kept: an alias has it once, by whatever tags.
fn copies(to: &[Recipient]) -> u64 {
    to.iter().map(|recipient| recipient.alias).collect::<BTreeSet<_>>().len() as u64
}
