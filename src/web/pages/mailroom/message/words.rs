//! What is known of a message, in words.

use crate::domain::mailroom::authentication::{Authentication, Check, Dmarc, Policy, Verdict};
use crate::domain::mailroom::parse::Mailbox;

/// What one way to know the sender found.
pub struct Finding {
    pub name: &'static str,
    pub tone: &'static str,
    /// The word of RFC 8601.
    pub result: &'static str,
    pub sentence: String,
    pub detail: String,
}

pub fn findings(known: &Authentication) -> Vec<Finding> {
    let unsigned = [Check::default()];
    let signatures = if known.dkim.is_empty() { &unsigned[..] } else { &known.dkim };
    let mut findings = vec![finding("SPF", &known.spf, spf)];
    findings.extend(signatures.iter().map(|check| finding("DKIM", check, dkim)));
    findings.push(Finding {
        name: "DMARC",
        tone: tone(known.dmarc.result),
        result: known.dmarc.result.as_str(),
        sentence: dmarc(&known.dmarc),
        detail: known.dmarc.detail.clone().unwrap_or_default(),
    });
    findings
}

fn finding(name: &'static str, check: &Check, say: fn(Verdict, &str) -> String) -> Finding {
    Finding {
        name,
        tone: tone(check.result),
        result: check.result.as_str(),
        sentence: say(check.result, check.domain.as_deref().unwrap_or("the domain")),
        detail: check.detail.clone().unwrap_or_default(),
    }
}

fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "success",
        Verdict::Fail => "danger",
        Verdict::SoftFail | Verdict::TempError | Verdict::PermError => "warning",
        Verdict::None | Verdict::Neutral => "off",
    }
}

fn spf(verdict: Verdict, domain: &str) -> String {
    match verdict {
        Verdict::Pass => format!("The server that sent it may send mail of {domain}."),
        Verdict::Fail => format!("The server that sent it may not send mail of {domain}."),
        Verdict::SoftFail => format!("The server that sent it most likely may not send mail of {domain}."),
        Verdict::Neutral => "The domain does not say which servers may send its mail.".into(),
        Verdict::None => "No record says which servers may send its mail, or none was asked.".into(),
        Verdict::TempError => format!("The record of {domain} could not be looked up when it came."),
        Verdict::PermError => format!("The record of {domain} cannot be understood."),
    }
}

fn dkim(verdict: Verdict, domain: &str) -> String {
    match verdict {
        Verdict::Pass => format!("Signed by {domain}, and unchanged since."),
        Verdict::Fail => {
            format!("The signature of {domain} does not fit: it was changed on its way, or forged.")
        }
        Verdict::None => "It is not signed, or no signature was looked at.".into(),
        Verdict::TempError => format!("The key of {domain} could not be looked up when it came."),
        Verdict::SoftFail | Verdict::Neutral | Verdict::PermError => {
            format!("The signature or the key of {domain} cannot be understood.")
        }
    }
}

fn dmarc(found: &Dmarc) -> String {
    let domain = found.domain.as_deref().unwrap_or("the sender's domain");
    match found.result {
        Verdict::Pass => format!("The sender is of {domain}: SPF or DKIM vouches for it."),
        Verdict::Fail => format!("Nothing vouches that the sender is of {domain}. {}", asks(found.policy)),
        Verdict::TempError => {
            "It could not be looked up when it came what the sender's domain asks for.".into()
        }
        Verdict::PermError => "What the sender's domain asks for cannot be understood.".into(),
        Verdict::None | Verdict::SoftFail | Verdict::Neutral => {
            "The sender's domain does not ask for anything, or was not asked.".into()
        }
    }
}

fn asks(policy: Option<Policy>) -> &'static str {
    match policy {
        Some(Policy::Reject) => "The domain asks to refuse such mail.",
        Some(Policy::Quarantine) => "The domain asks to be wary of such mail.",
        Some(Policy::None) | None => "The domain asks for nothing to be done.",
    }
}

/// `Ada <ada@acme.test>`, or the address alone.
pub fn mailbox(mailbox: &Mailbox) -> String {
    match &mailbox.name {
        Some(name) => format!("{name} <{}>", mailbox.address),
        None => mailbox.address.clone(),
    }
}

/// `812 bytes`, `4.2 kB`, `1.3 MB`.
pub fn size(bytes: i64) -> String {
    match bytes {
        ..1000 => format!("{bytes} bytes"),
        1000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_as_people_say_them() {
        for (bytes, told) in [(0, "0 bytes"), (999, "999 bytes"), (1234, "1.2 kB"), (2_500_000, "2.5 MB")] {
            assert_eq!(size(bytes), told);
        }
    }

    #[test]
    fn each_way_to_know_the_sender_says_what_it_found() {
        let spf = Check { result: Verdict::Pass, domain: Some("acme.test".into()), ..Check::default() };
        let policy = Some(Policy::Reject);
        let dmarc = Dmarc { result: Verdict::Fail, domain: Some("bank.test".into()), policy, detail: None };
        let known = Authentication { spf, dkim: Vec::new(), dmarc };
        let told: Vec<_> =
            findings(&known).into_iter().map(|each| (each.name, each.result, each.sentence)).collect();
        let expected = [
            ("SPF", "pass", "The server that sent it may send mail of acme.test."),
            ("DKIM", "none", "It is not signed, or no signature was looked at."),
            (
                "DMARC",
                "fail",
                "Nothing vouches that the sender is of bank.test. The domain asks to refuse such mail.",
            ),
        ];
        assert_eq!(told, expected.map(|(name, result, sentence)| (name, result, sentence.to_owned())));
    }
}
