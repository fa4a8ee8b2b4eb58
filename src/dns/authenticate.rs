//! SPF, DKIM and DMARC of a message, within five seconds.

use std::net::IpAddr;
use std::time::Duration;

use mail_auth::dkim::DkimError;
use mail_auth::dmarc::Policy as Asked;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcOutput, DmarcResult, DnsError, Error, SpfOutput,
    SpfResult,
};
use tokio::time::{Instant, timeout_at};

use super::{Dns, Resolvers};
use crate::domain::mailroom::authentication::{Authentication, Check, Dmarc, Policy, Verdict};
use crate::domain::mailroom::trace::headers_named;

/// For SPF and the signatures, which are asked about together, and for DMARC after them.
const FIRST: Duration = Duration::from_millis(3500);
const WHOLE: Duration = Duration::from_secs(5);
/// Signatures that are looked at. Each can cost a question and a hash of the whole body.
const SIGNATURES: usize = 8;

/// Who handed a message over.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// Nothing when another server of ours stands in between: then SPF cannot be asked.
    pub ip: Option<IpAddr>,
    pub helo: &'a str,
    /// Nothing for a bounce.
    pub from: Option<&'a str>,
    /// The name of this server.
    pub host: &'a str,
}

impl Sender<'_> {
    fn domain(&self) -> &str {
        self.from.and_then(|from| from.rsplit_once('@')).map_or(self.helo, |(_, domain)| domain)
    }
}

impl Dns {
    pub async fn authenticate(&self, raw: &[u8], sender: Sender<'_>) -> Authentication {
        let Some(resolvers) = &self.0 else { return unknown(raw) };
        let mut asked = Box::pin(resolvers.authenticate(raw, sender));
        tokio::select! {
            biased;
            authentication = &mut asked => authentication,
            there = resolvers.reach.is_there() => if there { asked.await } else { unknown(raw) },
        }
    }
}

/// Nobody can be asked.
fn unknown(raw: &[u8]) -> Authentication {
    let detail = || Some("no DNS server answers".to_owned());
    let check = || Check { result: Verdict::TempError, detail: detail(), ..Check::default() };
    let signed = headers_named(raw, "DKIM-Signature") > 0;
    Authentication {
        spf: check(),
        dkim: signed.then(check).into_iter().collect(),
        dmarc: Dmarc { result: Verdict::TempError, detail: detail(), ..Dmarc::default() },
    }
}

impl Resolvers {
    async fn authenticate(&self, raw: &[u8], sender: Sender<'_>) -> Authentication {
        let begun = Instant::now();
        let message = readable(raw);
        let (spf, dkim) =
            tokio::join!(self.spf(sender, begun + FIRST), self.dkim(message.as_ref(), begun + FIRST));
        let dmarc = match &message {
            Some(message) => self.dmarc(message, &dkim, sender, &spf, begun + WHOLE).await,
            None => Dmarc::default(),
        };
        let spf = if sender.ip.is_some() { spf_check(&spf, sender) } else { Check::default() };
        Authentication { spf, dkim: dkim.iter().map(dkim_check).collect(), dmarc }
    }

    /// Without an address SPF can neither pass nor fail, which is how DMARC is told so.
    async fn spf(&self, sender: Sender<'_>, until: Instant) -> SpfOutput {
        let unknown = || SpfOutput::new(sender.domain().to_owned()).with_result(SpfResult::TempError);
        let Some(ip) = sender.ip else { return unknown() };
        let parameters = match sender.from {
            Some(from) => SpfParameters::verify_mail_from(ip, sender.helo, sender.host, from),
            None => SpfParameters::verify_ehlo(ip, sender.helo, sender.host),
        };
        timeout_at(until, self.authenticator.verify_spf(parameters)).await.unwrap_or_else(|_| unknown())
    }

    async fn dkim<'x>(
        &self,
        message: Option<&'x AuthenticatedMessage<'x>>,
        until: Instant,
    ) -> Vec<DkimOutput<'x>> {
        let Some(message) = message else { return Vec::new() };
        let verified = timeout_at(until, self.authenticator.verify_dkim(message)).await;
        verified.unwrap_or_else(|_| {
            let late = || Error::Dns(DnsError::Resolver("it took too long".into()));
            let each = message.dkim_headers.iter();
            each.map(|header| DkimOutput::temp_err(late()).with_signature(&header.header)).collect()
        })
    }

    async fn dmarc(
        &self,
        message: &AuthenticatedMessage<'_>,
        dkim: &[DkimOutput<'_>],
        sender: Sender<'_>,
        spf: &SpfOutput,
        until: Instant,
    ) -> Dmarc {
        let parameters = DmarcParameters::new(message, dkim, sender.domain(), spf);
        match timeout_at(until, self.authenticator.verify_dmarc(parameters)).await {
            Ok(output) => dmarc_check(&output),
            Err(_) => Dmarc {
                result: Verdict::TempError,
                detail: Some("it took too long".into()),
                ..Dmarc::default()
            },
        }
    }
}

/// Nothing where no header can be read. Of many signatures the first count, so that nobody
/// escapes DMARC by adding more.
fn readable(raw: &[u8]) -> Option<AuthenticatedMessage<'_>> {
    let mut message = AuthenticatedMessage::parse(raw)?;
    message.dkim_headers.truncate(SIGNATURES);
    message.errors.truncate(SIGNATURES - message.dkim_headers.len());
    Some(message)
}

fn spf_check(output: &SpfOutput, sender: Sender<'_>) -> Check {
    let result = match output.result() {
        SpfResult::Pass => Verdict::Pass,
        SpfResult::Fail => Verdict::Fail,
        SpfResult::SoftFail => Verdict::SoftFail,
        SpfResult::Neutral => Verdict::Neutral,
        SpfResult::TempError => Verdict::TempError,
        SpfResult::PermError => Verdict::PermError,
        SpfResult::None => Verdict::None,
    };
    let detail = output.explanation().map(short);
    Check { result, domain: named(sender.domain()), selector: None, detail }
}

fn dkim_check(output: &DkimOutput<'_>) -> Check {
    let (result, why) = match output.result() {
        DkimResult::Pass => (Verdict::Pass, None),
        // The library calls it neutral; RFC 8601 keeps that word for what cannot be read.
        DkimResult::Neutral(why @ Error::Dkim(DkimError::FailedBodyHashMatch)) => (Verdict::Fail, Some(why)),
        DkimResult::Neutral(why) => (Verdict::Neutral, Some(why)),
        DkimResult::Fail(why) => (Verdict::Fail, Some(why)),
        DkimResult::PermError(why) => (Verdict::PermError, Some(why)),
        DkimResult::TempError(why) => (Verdict::TempError, Some(why)),
        DkimResult::None => (Verdict::None, None),
    };
    let signature = output.signature();
    Check {
        result,
        domain: signature.and_then(|it| named(&it.d)),
        selector: signature.and_then(|it| named(&it.s)),
        detail: why.map(|why| short(&why.to_string())),
    }
}

fn dmarc_check(output: &DmarcOutput) -> Dmarc {
    let (result, detail) = match output.result() {
        DmarcResult::Pass => (Verdict::Pass, None),
        DmarcResult::Fail(_) => {
            (Verdict::Fail, Some("neither SPF nor DKIM passed for the domain in From".to_owned()))
        }
        DmarcResult::TempError(why) => (Verdict::TempError, Some(short(&why.to_string()))),
        DmarcResult::PermError(why) => (Verdict::PermError, Some(short(&why.to_string()))),
        DmarcResult::None => (Verdict::None, None),
    };
    let policy = output.dmarc_record().map(|_| match output.policy() {
        Asked::Reject => Policy::Reject,
        Asked::Quarantine => Policy::Quarantine,
        Asked::None | Asked::Unspecified => Policy::None,
    });
    Dmarc { result, domain: named(output.domain()), policy, detail }
}

fn named(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| short(text))
}

/// What others wrote is kept, but not without end.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(255).collect()
}
