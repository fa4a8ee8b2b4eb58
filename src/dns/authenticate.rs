//! Verifies SPF, DKIM and DMARC of a message within five seconds.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use mail_auth::dkim::DkimError;
use mail_auth::dmarc::Policy as Asked;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcOutput, DmarcResult, DnsError, Error, Parameters,
    SpfOutput, SpfResult,
};
use tokio::time::{Instant, timeout_at};

use super::policy_records::{Answers, Kind};
use super::{Dns, Resolvers};
use crate::domain::mailroom::authentication::{Authentication, Check, Dmarc, Policy, Verdict};
use crate::domain::mailroom::received_header::{count_headers, header_fields};

/// The timeouts for SPF and DKIM, which run in parallel, and for everything.
const SPF_AND_DKIM_TIMEOUT: Duration = Duration::from_millis(3500);
const TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum number of verified signatures. Each can cost a query and a hash of the whole body.
const MAX_SIGNATURES: usize = 8;

#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// `None` if the operator's own mail server delivered it by LMTP, so that SPF can't be checked.
    pub ip: Option<IpAddr>,
    pub helo: &'a str,
    /// `None` for a bounce.
    pub from: Option<&'a str>,
    /// The domains of the authors in From, at least one.
    pub authors: &'a [String],
    pub host: &'a str,
}

impl Sender<'_> {
    fn domain(&self) -> &str {
        self.from.and_then(|from| from.rsplit_once('@')).map_or(self.helo, |(_, domain)| domain)
    }
}

impl Dns {
    /// Returns `None` if the verification library finds other header fields.
    pub async fn authenticate(&self, raw: &[u8], sender: Sender<'_>) -> Option<Authentication> {
        let message = readable(raw)?;
        let Some(resolvers) = &self.0 else { return Some(unknown(raw)) };
        let mut asked = Box::pin(resolvers.authenticate(&message, sender));
        Some(tokio::select! {
            biased;
            authentication = &mut asked => authentication,
            there = resolvers.reachable.is_answering() => if there { asked.await } else { unknown(raw) },
        })
    }
}

fn unknown(raw: &[u8]) -> Authentication {
    let detail = || Some("no DNS server responds".to_owned());
    let check = || Check { result: Verdict::TempError, detail: detail(), ..Check::default() };
    let signed = count_headers(raw, "DKIM-Signature") > 0;
    Authentication {
        spf: check(),
        dkim: signed.then(check).into_iter().collect(),
        dmarc: Dmarc { result: Verdict::TempError, detail: detail(), ..Dmarc::default() },
    }
}

impl Resolvers {
    async fn authenticate(&self, message: &AuthenticatedMessage<'_>, sender: Sender<'_>) -> Authentication {
        let begun = Instant::now();
        let (spf, dkim, policies) = tokio::join!(
            self.spf(sender, begun + SPF_AND_DKIM_TIMEOUT),
            self.dkim(message, begun + SPF_AND_DKIM_TIMEOUT),
            join_all(sender.authors.iter().map(|author| self.policy(author, begun + SPF_AND_DKIM_TIMEOUT)))
        );
        let envelope = (sender.domain(), &spf);
        let each = sender.authors.iter().map(|author| self.dmarc(author, &dkim, envelope, begun + TIMEOUT));
        let each = join_all(each).await.into_iter().zip(policies);
        let dmarc =
            Dmarc::strictest(each.map(|(dmarc, policy)| Dmarc { policy: dmarc.policy.or(policy), ..dmarc }));
        let spf = if sender.ip.is_some() { spf_check(&spf, sender) } else { Check::default() };
        Authentication { spf, dkim: dkim.iter().map(dkim_check).collect(), dmarc }
    }

    /// Without an IP address, SPF can neither pass nor fail; `TempError` expresses that to DMARC.
    async fn spf(&self, sender: Sender<'_>, until: Instant) -> SpfOutput {
        let unknown = || SpfOutput::new(sender.domain().to_owned()).with_result(SpfResult::TempError);
        let Some(ip) = sender.ip else { return unknown() };
        // IP addresses in brackets have no record.
        if sender.domain().ends_with(']') {
            return SpfOutput::new(sender.domain().to_owned()).with_result(SpfResult::None);
        }
        let parameters = || match sender.from {
            Some(from) => SpfParameters::verify_mail_from(ip, sender.helo, sender.host, from),
            None => SpfParameters::verify_ehlo(ip, sender.helo, sender.host),
        };
        let verified = async {
            let answers = Answers::default();
            loop {
                let parameters = Parameters::new(parameters()).with_txt_cache(&answers);
                let output = self.authenticator.verify_spf(parameters).await;
                if !answers.replace_several(Kind::Spf, &self.authenticator).await {
                    return output;
                }
            }
        };
        timeout_at(until, verified).await.unwrap_or_else(|_| unknown())
    }

    /// Returns the policy of an author's domain, even if the sender's other domains don't respond.
    async fn policy(&self, author: &str, until: Instant) -> Option<Policy> {
        let unasked = SpfOutput::new(author.to_owned()).with_result(SpfResult::None);
        self.dmarc(author, &[], (author, &unasked), until).await.policy
    }

    async fn dkim<'x>(&self, message: &'x AuthenticatedMessage<'x>, until: Instant) -> Vec<DkimOutput<'x>> {
        let verified = timeout_at(until, self.authenticator.verify_dkim(message)).await;
        verified.unwrap_or_else(|_| {
            let late = || Error::Dns(DnsError::Resolver("it took too long".into()));
            let each = message.dkim_headers.iter();
            each.map(|header| DkimOutput::temp_err(late()).with_signature(&header.header)).collect()
        })
    }

    async fn dmarc(
        &self,
        author: &str,
        dkim: &[DkimOutput<'_>],
        (domain, spf): (&str, &SpfOutput),
        until: Instant,
    ) -> Dmarc {
        let Some(message) = of_author(author) else { return Dmarc::default() };
        let verified = async {
            let answers = Answers::default();
            loop {
                let parameters = Parameters::new(DmarcParameters::new(&message, dkim, domain, spf));
                let output = self.authenticator.verify_dmarc(parameters.with_txt_cache(&answers)).await;
                if !answers.replace_several(Kind::Dmarc, &self.authenticator).await {
                    return output;
                }
            }
        };
        match timeout_at(until, verified).await {
            Ok(output) => dmarc_check(&output),
            Err(_) => Dmarc {
                result: Verdict::TempError,
                domain: named(author),
                policy: None,
                detail: Some("it took too long".into()),
            },
        }
    }
}

/// Returns `None` if the library finds other header fields than we do. Keeps only the first signatures, so that
/// adding more doesn't circumvent DMARC.
fn readable(raw: &[u8]) -> Option<AuthenticatedMessage<'_>> {
    let mut message = AuthenticatedMessage::parse(raw)?;
    let theirs = message.headers.iter().map(|(name, value)| (name.trim_ascii_end(), *value));
    if !theirs.eq(header_fields(raw)) {
        return None;
    }
    message.dkim_headers.truncate(MAX_SIGNATURES);
    message.errors.truncate(MAX_SIGNATURES - message.dkim_headers.len());
    Some(message)
}

/// A message with one author, for DMARC, because the library doesn't check authors of several domains.
/// `None` for an IP address in brackets, which has no policy.
fn of_author(domain: &str) -> Option<AuthenticatedMessage<'static>> {
    let mut message = AuthenticatedMessage::parse(b"From: <>\r\n\r\n")?;
    message.from = vec![format!("author@{domain}")];
    (!domain.starts_with('[')).then_some(message)
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
        // The library calls this neutral. In RFC 8601, neutral means that a signature can't be parsed.
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

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(255).collect()
}
