//! Checks a message before delivery: its authors, mail loops, the hourly limit of its network, and the authentication
//! of its sender.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::App;
use super::inbound::{Delivered, Envelope, Undelivered};
use super::limits::memory::MessageMemory;
use crate::dns::{Dns, Sender};
use crate::domain::mailroom::authentication::Authentication;
use crate::domain::mailroom::authors::{self, Malformed};
use crate::domain::mailroom::receive::Outcome;
use crate::domain::mailroom::received_header::{self, ReceivedHeader};
use crate::domain::mailroom::route::{Recipient, Unroutable};

pub struct Submission {
    pub envelope: Envelope,
    pub with: &'static str,
    /// `None` for an operator's message, whose sender is not verified.
    pub peer: Option<IpAddr>,
    pub raw: Vec<u8>,
    pub to: Vec<Recipient>,
    pub memory: MessageMemory,
}

impl App {
    pub fn mail_host(&self) -> String {
        let config = self.config();
        config.mail.host(config.public_url.as_ref())
    }

    pub fn dns(&self) -> &Dns {
        &self.0.dns
    }

    /// Checks and delivers a message, and returns the outcomes in the order of its recipients. Every `Ok`
    /// that is not a refusal is on disk.
    pub async fn accept_message(&self, submission: Submission) -> Vec<Delivered> {
        let host = self.mail_host();
        let Submission { envelope, with, peer, mut raw, to, memory } = submission;
        let authors = match authors::check(&raw) {
            Ok(domains) => domains,
            Err(why) => return vec![Ok(Outcome::Malformed(why)); to.len()],
        };
        if received_header::was_sent_from(&raw, &host) {
            return vec![Ok(Outcome::NotAccepted(Unroutable::Loop)); to.len()];
        }
        if let Some(ip) = envelope.ip
            && !self.may_send(ip, copies(&to), raw.len())
        {
            return vec![Ok(Outcome::NotAccepted(Unroutable::HourlyLimit)); to.len()];
        }
        let authentication = match peer {
            Some(_) => match self.authenticate(&raw, &authors, &envelope, &host).await {
                Some(authentication) => authentication,
                None => return vec![Ok(Outcome::Malformed(Malformed::Ambiguous)); to.len()],
            },
            None => Authentication::default(),
        };
        // With LMTP there is no client IP for SPF, so the operator's mail server has to refuse forgeries.
        if envelope.ip.is_some() && authentication.is_undecided() {
            return vec![Err(Undelivered::Unverified); to.len()];
        }
        let header = ReceivedHeader {
            host: &host,
            with,
            from: envelope.from.as_deref(),
            helo: &envelope.helo,
            peer,
            rcpt: if let [only] = &to[..] { Some(&only.address) } else { None },
        };
        raw.splice(..0, header.render(&self.system()));
        self.deliver_within(memory, envelope, raw, authentication, to).await
    }

    /// Returns `None` if the verification library finds other header fields than [`authors::check`].
    async fn authenticate(
        &self,
        raw: &[u8],
        authors: &[String],
        envelope: &Envelope,
        host: &str,
    ) -> Option<Authentication> {
        let Envelope { ip, helo, from, .. } = envelope;
        let sender = Sender { ip: *ip, helo, from: from.as_deref(), authors, host };
        self.dns().authenticate(raw, sender).await
    }
}

/// Counts one copy per alias, regardless of tags in the addresses.
fn copies(to: &[Recipient]) -> u64 {
    to.iter().map(|recipient| recipient.alias).collect::<BTreeSet<_>>().len() as u64
}
