//! Sentences about a message.

use crate::domain::mailroom::address::MailAddress;
use crate::domain::mailroom::authentication::{Authentication, Check, Dmarc, Policy, Verdict};
use crate::domain::mailroom::parse::{Mailbox, mailboxes_in};

/// The result of one check of the sender.
pub struct Finding {
    pub name: &'static str,
    pub tone: &'static str,
    /// The term of RFC 8601.
    pub result: &'static str,
    pub sentence: String,
    pub detail: String,
}

/// Describes the check of the sender and its result in one sentence, with its tone.
pub fn summary(known: &Authentication) -> (&'static str, String) {
    let Authentication { spf, dkim, dmarc } = known;
    let of_dmarc = dmarc.domain.as_deref();
    let domain = of_dmarc.unwrap_or("the sender's domain");
    let why = match dmarc.result {
        Verdict::Pass => return ("success", format!("Verified: {}.", proof(known, domain))),
        Verdict::Fail => {
            let why = format!(
                "neither a signature (DKIM) nor the sending server (SPF) proves that it's from {domain}"
            );
            return ("danger", format!("Not verified: {why}."));
        }
        Verdict::TempError => {
            format!("the DNS records of {domain} couldn't be looked up when the message arrived")
        }
        Verdict::PermError => format!("the DMARC record of {domain} is invalid"),
        Verdict::None | Verdict::SoftFail | Verdict::Neutral => match of_dmarc {
            Some(domain) => format!("{domain} has no DMARC record to check the sender against"),
            None if spf.result == Verdict::None && dkim.is_empty() => {
                "nothing was checked when it arrived".into()
            }
            None => "the sender's address has no domain to check".into(),
        },
    };
    ("off", format!("Not verified: {why}."))
}

/// The checks that passed for the author's domain. Organizational domains are not stored, so a check counts if one of
/// the two domains contains the other.
fn proof(known: &Authentication, domain: &str) -> String {
    let contains = |outer: &str, inner: &str| inner == outer || inner.ends_with(&format!(".{outer}"));
    let proves = |check: &&Check| {
        let checked = check.domain.as_deref().unwrap_or_default();
        check.result == Verdict::Pass && (contains(domain, checked) || contains(checked, domain))
    };
    let signer = known.dkim.iter().find(proves).and_then(|check| check.domain.as_deref());
    let server = Some(&known.spf).filter(proves).and_then(|check| check.domain.as_deref());
    match (signer, server) {
        (Some(signer), Some(server)) if signer == server => {
            format!("signed by {signer} (DKIM) and sent by a server it authorizes (SPF)")
        }
        (Some(signer), Some(server)) => {
            format!("signed by {signer} (DKIM) and sent by a server that {server} authorizes (SPF)")
        }
        (Some(signer), None) => format!("signed by {signer} (DKIM)"),
        (None, Some(server)) => format!("sent by a server that {server} authorizes (SPF)"),
        (None, None) => format!("SPF or DKIM confirms that it's from {domain}"),
    }
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

fn finding(name: &'static str, check: &Check, describe: fn(Verdict, &str) -> String) -> Finding {
    Finding {
        name,
        tone: tone(check.result),
        result: check.result.as_str(),
        sentence: describe(check.result, check.domain.as_deref().unwrap_or("the domain")),
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
        Verdict::Pass => format!("The sending server is authorized by {domain}."),
        Verdict::Fail => format!("The sending server isn't authorized by {domain}."),
        Verdict::SoftFail => format!("The sending server is probably not authorized by {domain}."),
        Verdict::Neutral => "The domain doesn't say which servers are authorized.".into(),
        Verdict::None => "No SPF record (or not checked).".into(),
        Verdict::TempError => {
            format!("The SPF record of {domain} couldn't be looked up when the message arrived.")
        }
        Verdict::PermError => format!("The SPF record of {domain} is invalid."),
    }
}

fn dkim(verdict: Verdict, domain: &str) -> String {
    match verdict {
        Verdict::Pass => format!("Signed by {domain} and unchanged."),
        Verdict::Fail => {
            format!("The signature of {domain} doesn't match: the message was changed or forged.")
        }
        Verdict::None => "Not signed (or not checked).".into(),
        Verdict::TempError => format!("The key of {domain} couldn't be looked up when the message arrived."),
        Verdict::SoftFail | Verdict::Neutral | Verdict::PermError => {
            format!("The signature or key of {domain} is invalid.")
        }
    }
}

fn dmarc(found: &Dmarc) -> String {
    let domain = found.domain.as_deref().unwrap_or("the sender's domain");
    match found.result {
        Verdict::Pass => format!("SPF or DKIM confirms that the sender is from {domain}."),
        Verdict::Fail => format!("Nothing confirms that the sender is from {domain}. {}", asks(found.policy)),
        Verdict::TempError => "The DMARC record couldn't be looked up when the message arrived.".into(),
        Verdict::PermError => "The DMARC record is invalid.".into(),
        Verdict::None | Verdict::SoftFail | Verdict::Neutral => "No DMARC record (or not checked).".into(),
    }
}

fn asks(policy: Option<Policy>) -> &'static str {
    match policy {
        Some(Policy::Reject) => "The domain asks to reject such mail.",
        Some(Policy::Quarantine) => "The domain asks to quarantine such mail.",
        Some(Policy::None) | None => "The domain asks for no action.",
    }
}

/// `Ada <ada@acme.test>`, or the address alone.
pub fn mailbox(mailbox: &Mailbox) -> String {
    match &mailbox.name {
        Some(name) => format!("{name} <{}>", mailbox.address),
        None => mailbox.address.clone(),
    }
}

/// The authors in the headers of a message.
pub fn authors(headers: &[(String, String)]) -> Vec<Mailbox> {
    let from = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("From"));
    from.map(|(_, value)| mailboxes_in(value)).unwrap_or_default()
}

/// Whether a sender's name contains an address of another domain. People could take it for
/// the sender, but it isn't verified.
pub fn names_another_domain(name: &str, address: &str) -> bool {
    let own = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let words = name.split(|c: char| c.is_whitespace() || "<>()[],;:\"'".contains(c));
    words.filter_map(MailAddress::parse).any(|named| named.domain() != own)
}

/// The name of a file type and its icon. An unknown type is named after the file's extension.
pub fn kind(essence: &str, name: &str) -> (String, &'static str) {
    let (main, sub) = essence.split_once('/').unwrap_or((essence, ""));
    let has = |words: &[&str]| words.iter().any(|word| sub.contains(word));
    let known = match main {
        "image" => Some(("Image", "image")),
        "audio" => Some(("Audio", "file-audio")),
        "video" => Some(("Video", "file-video")),
        "message" => Some(("Email", "mail")),
        "text" if sub == "csv" => Some(("CSV", "file-spreadsheet")),
        "text" if has(&["html", "xml", "javascript", "css"]) => Some(("Code", "file-code")),
        "text" if sub == "calendar" => Some(("Event", "calendar")),
        "text" => Some(("Text", "file-text")),
        _ if sub == "pdf" => Some(("PDF", "file-text")),
        _ if has(&["zip", "tar", "compressed", "7z"]) => Some(("Archive", "file-archive")),
        _ if has(&["spreadsheet", "excel"]) => Some(("Spreadsheet", "file-spreadsheet")),
        _ if has(&["word", "opendocument.text", "rtf"]) => Some(("Document", "file-text")),
        _ if has(&["json", "xml"]) => Some(("Code", "file-code")),
        _ => None,
    };
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_uppercase());
    let extension = extension.filter(|it| it.len() <= 5 && it.chars().all(|c| c.is_ascii_alphanumeric()));
    match known {
        Some((word, icon)) => (word.into(), icon),
        None => (extension.unwrap_or_else(|| "File".into()), "file"),
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
    fn sizes_are_shown_in_the_largest_unit_that_fits() {
        for (bytes, shown) in [(0, "0 bytes"), (999, "999 bytes"), (1234, "1.2 kB"), (2_500_000, "2.5 MB")] {
            assert_eq!(size(bytes), shown);
        }
    }

    #[test]
    fn file_types_are_named_after_the_type_or_the_extension() {
        for (essence, name, word) in [
            ("application/pdf", "a.pdf", "PDF"),
            ("image/png", "a", "Image"),
            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a.docx", "Document"),
            ("application/octet-stream", "disk.dmg", "DMG"),
            ("application/octet-stream", "a.toolongtobeone", "File"),
            ("", "", "File"),
        ] {
            assert_eq!(kind(essence, name).0, word, "{essence} {name}");
        }
    }

    #[test]
    fn a_name_with_an_address_of_another_domain_misleads() {
        for (name, misleads) in [
            ("ceo@bank.test", true),
            ("Nora Grant <nora@granite.test>", true),
            ("\"ceo@bank.test\" via list", true),
            ("a@x.test, CEO (ceo@bank.test)", true),
            ("A@X.test", false),
            ("Ada @ Acme", false),
            ("", false),
        ] {
            assert_eq!(names_another_domain(name, "a@x.test"), misleads, "{name}");
        }
    }

    #[test]
    fn one_sentence_describes_the_check_and_its_result() {
        let check = |result, domain: &str| Check { result, domain: Some(domain.into()), ..Check::default() };
        let (none, passed) = (Check::default(), |domain| check(Verdict::Pass, domain));
        let of = |spf: &Check, dkim: Vec<Check>, result, domain: Option<&str>| {
            let dmarc = Dmarc { result, domain: domain.map(str::to_owned), policy: None, detail: None };
            summary(&Authentication { spf: spf.clone(), dkim, dmarc })
        };
        let acme = Some("acme.test");
        let pass = |spf: &Check, dkim| of(spf, dkim, Verdict::Pass, acme);
        for ((tone, sentence), expected) in [
            (pass(&none, vec![passed("acme.test")]), "signed by acme.test (DKIM)."),
            (
                pass(&passed("acme.test"), vec![passed("esp.test"), passed("acme.test")]),
                "signed by acme.test (DKIM) and sent by a server it authorizes (SPF).",
            ),
            (
                pass(&passed("mail.acme.test"), vec![passed("acme.test")]),
                "signed by acme.test (DKIM) and sent by a server that mail.acme.test authorizes (SPF).",
            ),
            (
                pass(&passed("acme.test"), vec![check(Verdict::Fail, "acme.test"), passed("notacme.test")]),
                "sent by a server that acme.test authorizes (SPF).",
            ),
            (pass(&none, Vec::new()), "SPF or DKIM confirms that it's from acme.test."),
        ] {
            assert_eq!((tone, sentence), ("success", format!("Verified: {expected}")));
        }
        let soft = check(Verdict::SoftFail, "acme.test");
        for ((tone, sentence), expected) in [
            (of(&none, Vec::new(), Verdict::None, None), "nothing was checked when it arrived."),
            (of(&soft, Vec::new(), Verdict::None, None), "the sender's address has no domain to check."),
            (
                of(&passed("acme.test"), Vec::new(), Verdict::None, acme),
                "acme.test has no DMARC record to check the sender against.",
            ),
            (
                of(&soft, Vec::new(), Verdict::TempError, acme),
                "the DNS records of acme.test couldn't be looked up when the message arrived.",
            ),
            (of(&soft, Vec::new(), Verdict::PermError, acme), "the DMARC record of acme.test is invalid."),
        ] {
            assert_eq!((tone, sentence), ("off", format!("Not verified: {expected}")));
        }
        let failed = of(&passed("esp.test"), vec![passed("esp.test")], Verdict::Fail, acme);
        let why = "neither a signature (DKIM) nor the sending server (SPF) proves that it's from acme.test.";
        assert_eq!(failed, ("danger", format!("Not verified: {why}")));
    }

    #[test]
    fn sender_checks_are_described_in_sentences() {
        let spf = Check { result: Verdict::Pass, domain: Some("acme.test".into()), ..Check::default() };
        let policy = Some(Policy::Reject);
        let dmarc = Dmarc { result: Verdict::Fail, domain: Some("bank.test".into()), policy, detail: None };
        let known = Authentication { spf, dkim: Vec::new(), dmarc };
        let found: Vec<_> =
            findings(&known).into_iter().map(|each| (each.name, each.result, each.sentence)).collect();
        let expected = [
            ("SPF", "pass", "The sending server is authorized by acme.test."),
            ("DKIM", "none", "Not signed (or not checked)."),
            (
                "DMARC",
                "fail",
                "Nothing confirms that the sender is from bank.test. The domain asks to reject such mail.",
            ),
        ];
        assert_eq!(found, expected.map(|(name, result, sentence)| (name, result, sentence.to_owned())));
    }
}
