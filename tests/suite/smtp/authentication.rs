//! SPF, DKIM and DMARC with the test's own DNS server. The peer is 127.0.0.1.

use std::time::{Duration, Instant};

use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use mail_auth::dkim::generate::DkimKeyPair;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::dns::Dns;
use crate::support::mail_server::{self, Talk};

const HELLO: &str = "hello@gatepost.localhost";
const REJECT: &str = "v=DMARC1; p=reject";

/// Starts a server with one alias and this DNS server.
async fn asking(dns: &Dns) -> TestApp {
    let app = TestApp::with_settings(&[("GATEPOST_DNS", &dns.address)]).await;
    app.alias("Acme", "hello");
    app
}

fn letter(from: &str, subject: &str) -> String {
    format!(
        "From: {from}\r\nTo: {HELLO}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@b.test>\r\n\r\nHello\r\n"
    )
}

/// Sends a message by SMTP, and returns the reply and the results.
fn send(app: &TestApp, from: &str, subject: &str, message: &str) -> (String, Value) {
    let server = mail_server::open(&app.app);
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    let reply = talk.envelope(from, &[HELLO]).data(message).reply();
    (reply, app.authentication(subject))
}

/// Returns a key, and its DNS record.
fn key() -> (Vec<u8>, String) {
    let pair = DkimKeyPair::generate_ed25519().expect("a key");
    (pair.private_key().to_vec(), format!("v=DKIM1; k=ed25519; p={}", base64(pair.public_key())))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let digit = |at: usize| char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63]);
        text.extend((0..4).map(|at| if at <= three.len() { digit(at) } else { '=' }));
    }
    text
}

fn sign(key: &[u8], domain: &str, message: &str) -> String {
    let key = Ed25519Key::from_pkcs8_der(key).expect("a key");
    let signer = DkimSigner::from_key(key).domain(domain).selector("s1").headers(["From", "To", "Subject"]);
    signer.sign(message.as_bytes()).expect("a signature").to_header() + message
}

#[tokio::test]
async fn spf_checks_the_address_of_the_peer() {
    let dns = Dns::start();
    dns.txt("pass.test", "v=spf1 ip4:127.0.0.1 -all").txt("fail.test", "v=spf1 ip4:192.0.2.1 -all");
    dns.txt("soft.test", "v=spf1 ~all")
        .txt("neutral.test", "v=spf1 ?all")
        .txt("broken.test", "v=spf1 nonsense");
    dns.txt("long.test", &format!("v=spf1{} ip4:127.0.0.1 -all", " ip4:192.0.2.1".repeat(60)));
    dns.fail("trouble.test");
    let app = asking(&dns).await;
    for (name, result) in [
        ("pass", "pass"),
        ("fail", "fail"),
        ("soft", "softfail"),
        ("neutral", "neutral"),
        ("none", "none"),
        ("broken", "permerror"),
        ("long", "pass"),
        ("trouble", "temperror"),
    ] {
        let from = format!("bob@{name}.test");
        let (reply, found) = send(&app, &from, name, &letter(&from, name));
        assert!(reply.starts_with("250"), "{name}: {reply}");
        assert_eq!(found["spf"]["result"], result, "{name}: {found}");
        assert_eq!(found["spf"]["domain"], format!("{name}.test"));
    }
}

#[tokio::test]
async fn spf_checks_a_bounce_by_its_greeting() {
    let dns = Dns::start();
    dns.txt("client.test", "v=spf1 ip4:127.0.0.1 -all");
    let app = asking(&dns).await;
    let (_, found) = send(&app, "", "bounce", &letter("mailer-daemon@client.test", "bounce"));
    assert_eq!(found["spf"], json!({"result": "pass", "domain": "client.test"}));
}

#[tokio::test]
async fn dkim_verifies_signatures() {
    let dns = Dns::start();
    let ((secret, public), (_, other)) = (key(), key());
    dns.txt("s1._domainkey.signed.test", &public).txt("s1._domainkey.other.test", &other);
    dns.fail("s1._domainkey.trouble.test");
    let app = asking(&dns).await;
    let signed =
        |domain: &str, subject: &str| sign(&secret, domain, &letter(&format!("bob@{domain}"), subject));
    let bent = signed("signed.test", "bent").replace("Hello\r\n", "Hullo\r\n");
    let forged = signed("signed.test", "forged").replace("Subject: forged", "Subject: forged!");
    for (subject, message, result) in [
        ("whole", signed("signed.test", "whole"), "pass"),
        ("bent", bent, "fail"),
        ("forged!", forged, "fail"),
        ("foreign", signed("other.test", "foreign"), "fail"),
        ("keyless", signed("nokey.test", "keyless"), "permerror"),
        ("trouble", signed("trouble.test", "trouble"), "temperror"),
    ] {
        let (reply, found) = send(&app, "bob@elsewhere.test", subject, &message);
        assert!(reply.starts_with("250"), "{subject}: {reply}");
        assert_eq!(found["dkim"][0]["result"], result, "{subject}: {found}");
        assert_eq!(found["dkim"][0]["selector"], "s1");
    }
    let (_, found) = send(&app, "bob@elsewhere.test", "plain", &letter("bob@signed.test", "plain"));
    assert_eq!(found["dkim"], json!([]));
}

#[tokio::test]
async fn dmarc_checks_the_domain_in_from() {
    let dns = Dns::start();
    let (secret, public) = key();
    dns.txt("_dmarc.strict.test", REJECT).txt("strict.test", "v=spf1 -all");
    dns.txt("s1._domainkey.strict.test", &public);
    dns.txt("_dmarc.sent.test", REJECT).txt("sent.test", "v=spf1 ip4:127.0.0.1 -all");
    dns.txt("_dmarc.mild.test", "v=DMARC1; p=quarantine").txt("mild.test", "v=spf1 -all");
    let app = asking(&dns).await;
    let (reply, found) = send(&app, "a@strict.test", "forged", &letter("a@strict.test", "forged"));
    assert!(reply.starts_with("550 5.7.1") && reply.contains("strict.test"), "{reply}");
    assert_eq!((&found["dmarc"]["result"], &found["dmarc"]["policy"]), (&json!("fail"), &json!("reject")));
    let signed = sign(&secret, "strict.test", &letter("a@strict.test", "signed"));
    for (subject, from, message, result) in [
        ("signed", "b@elsewhere.test", signed, "pass"),
        ("sent", "a@sent.test", letter("a@sent.test", "sent"), "pass"),
        ("mild", "a@mild.test", letter("a@mild.test", "mild"), "fail"),
        ("unpublished", "a@plain.test", letter("a@plain.test", "unpublished"), "none"),
    ] {
        let (reply, found) = send(&app, from, subject, &message);
        assert!(reply.starts_with("250"), "{subject}: {reply}");
        assert_eq!(found["dmarc"]["result"], result, "{subject}: {found}");
    }
    // An SPF pass for another domain doesn't verify the domain in From.
    let (reply, _) = send(&app, "a@sent.test", "unaligned", &letter("a@strict.test", "unaligned"));
    assert!(reply.starts_with("550 5.7.1"), "{reply}");
}

/// A slow DNS server of the sender must not circumvent the author's policy.
#[tokio::test]
async fn unverified_mail_of_a_strict_domain_is_deferred() {
    let dns = Dns::start();
    dns.txt("_dmarc.unsure.test", REJECT).fail("unsure.test");
    dns.txt("_dmarc.strict.test", REJECT).txt("strict.test", "v=spf1 -all");
    dns.silence("s1._domainkey.slow.test").silence("_dmarc.slow.test");
    let app = asking(&dns).await;
    let server = mail_server::open(&app.app);
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    let unsure = letter("a@unsure.test", "unsure");
    talk.envelope("a@unsure.test", &[HELLO]).data(unsure).expect("451 4.7.5");
    let (secret, _) = key();
    let forged = letter("ceo@strict.test", "forged");
    let forged = sign(&secret, "slow.test", &sign(&secret, "strict.test", &forged));
    talk.envelope("b@elsewhere.test", &[HELLO]).data(forged).expect("451 4.7.5");
    assert_eq!(app.stored().len(), 0);
}

/// The LMTP client is not the sender: a signature still counts, SPF can't.
#[tokio::test]
async fn lmtp_mail_is_not_rejected_without_a_client_address() {
    let dns = Dns::start();
    let (secret, public) = key();
    dns.txt("_dmarc.strict.test", REJECT)
        .txt("strict.test", "v=spf1 -all")
        .txt("s1._domainkey.strict.test", &public);
    let app = asking(&dns).await;
    let server = mail_server::open(&app.app);
    let mut talk = Talk::lmtp(mail_server::lmtp(&server));
    talk.envelope("a@strict.test", &[HELLO]).data(letter("a@strict.test", "unknown")).expect("250");
    let found = app.authentication("unknown");
    assert_eq!((&found["spf"]["result"], &found["dmarc"]["result"]), (&json!("none"), &json!("temperror")));
    talk.envelope("a@strict.test", &[HELLO])
        .data(sign(&secret, "strict.test", &letter("a@strict.test", "known")))
        .expect("250");
    assert_eq!(app.authentication("known")["dmarc"]["result"], "pass");
}

#[tokio::test]
async fn a_silent_dns_server_delays_mail_without_losing_it() {
    let dns = Dns::start();
    dns.silence("quiet.test").silence("_dmarc.quiet.test");
    let app = asking(&dns).await;
    let (reply, found) = send(&app, "a@quiet.test", "quiet", &letter("a@quiet.test", "quiet"));
    assert!(reply.starts_with("250"), "{reply}");
    assert_eq!(
        (&found["spf"]["result"], &found["dmarc"]["result"]),
        (&json!("temperror"), &json!("temperror"))
    );
    // Other domains are still looked up, because only the operator's own DNS server affects all of them.
    let dns_is_there = send(&app, "a@loud.test", "loud", &letter("a@loud.test", "loud")).1;
    assert_eq!(dns_is_there["dmarc"]["result"], "none");
}

#[tokio::test]
async fn without_a_dns_server_only_the_first_message_waits() {
    let dns = Dns::start();
    dns.silence(".").silence("a.test").silence("_dmarc.a.test");
    let app = asking(&dns).await;
    send(&app, "a@a.test", "first", &letter("a@a.test", "first"));
    let begun = Instant::now();
    for number in 0..5 {
        let subject = format!("next{number}");
        let (reply, found) = send(&app, "a@a.test", &subject, &letter("a@a.test", &subject));
        assert!(reply.starts_with("250"), "{reply}");
        assert_eq!(found["spf"]["result"], "temperror");
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "every message waited: {:?}", begun.elapsed());
}

/// Each signature costs a query and a hash, and no legitimate sender signs a hundred times. But adding signatures must
/// not circumvent DMARC either.
#[tokio::test]
async fn only_the_first_signatures_are_verified() {
    let dns = Dns::start();
    let (secret, public) = key();
    dns.txt("_dmarc.many.test", REJECT).txt("many.test", "v=spf1 -all");
    dns.txt("s1._domainkey.many.test", &public);
    let app = asking(&dns).await;
    let plain = |subject: &str| letter("a@many.test", subject);
    let signature = |domain: &str, subject: &str| {
        let signed = sign(&secret, domain, &plain(subject));
        signed.split_once("From: ").expect("a message").0.to_owned()
    };
    let forged = signature("elsewhere.test", "forged").repeat(100) + &plain("forged");
    let (reply, found) = send(&app, "a@elsewhere.test", "forged", &forged);
    assert!(reply.starts_with("550 5.7.1"), "{reply}");
    assert_eq!(
        (found["dkim"].as_array().map(Vec::len), &found["dmarc"]["result"]),
        (Some(8), &json!("fail"))
    );
    let malformed = "DKIM-Signature: v=1\r\n".repeat(100) + &plain("malformed");
    let (reply, _) = send(&app, "a@elsewhere.test", "malformed", &malformed);
    assert!(reply.starts_with("550 5.7.1"), "{reply}");
    let real =
        signature("many.test", "real") + &signature("elsewhere.test", "real").repeat(99) + &plain("real");
    let (reply, found) = send(&app, "a@elsewhere.test", "real", &real);
    assert!(reply.starts_with("250"), "{reply}");
    assert_eq!(found["dmarc"]["result"], "pass");
}

/// Sender only says who sent it for all of them: every author's domain is checked.
#[tokio::test]
async fn the_strictest_result_of_all_authors_domains_counts() {
    let dns = Dns::start();
    let (secret, public) = key();
    for domain in ["one.test", "two.test"] {
        dns.txt(&format!("_dmarc.{domain}"), REJECT).txt(domain, "v=spf1 -all");
        dns.txt(&format!("s1._domainkey.{domain}"), &public);
    }
    dns.txt("_dmarc.mild.test", "v=DMARC1; p=none").txt("mild.test", "v=spf1 -all");
    dns.txt("_dmarc.lost.test", REJECT).fail("lost.test").fail("s1._domainkey.lost.test");
    let app = asking(&dns).await;
    for (subject, others, signers, reply, result, domain) in [
        ("both-sign", "two.test", &["one.test", "two.test"][..], "250", "pass", "one.test"),
        ("one-signs", "two.test", &["one.test"], "550 5.7.1", "fail", "two.test"),
        ("other-signs", "two.test", &["two.test"], "550 5.7.1", "fail", "one.test"),
        ("mild", "mild.test", &["one.test"], "250", "fail", "mild.test"),
        ("no-policy", "free.test", &["one.test"], "250", "none", "free.test"),
        ("strictest", "mild.test, c@two.test", &["one.test"], "550 5.7.1", "fail", "two.test"),
        ("later", "lost.test", &["one.test", "lost.test"], "451", "", ""),
        ("now", "lost.test, c@two.test", &["one.test", "lost.test"], "550 5.7.1", "fail", "two.test"),
    ] {
        let letter =
            format!("Sender: press@one.test\r\n{}", letter(&format!("a@one.test, b@{others}"), subject));
        let signed = signers.iter().fold(letter.clone(), |signed, domain| {
            let signature = sign(&secret, domain, &letter);
            signature.strip_suffix(&letter).expect("a signature").to_owned() + &signed
        });
        let server = mail_server::open(&app.app);
        let mut talk = Talk::smtp(mail_server::smtp(&server));
        let answer = talk.envelope("bounces@lost.test", &[HELLO]).data(&signed).reply();
        assert!(answer.starts_with(reply), "{subject}: {answer}");
        if reply != "451" {
            let found = app.authentication(subject);
            assert_eq!(found["dmarc"]["result"], result, "{subject}: {found}");
            assert_eq!(found["dmarc"]["domain"], domain, "{subject}: {found}");
        }
    }
}

/// Messages that would show some readers another author than the one DMARC verified.
#[tokio::test]
async fn a_message_must_have_one_author() {
    let dns = Dns::start();
    dns.txt("_dmarc.bank.test", REJECT).txt("bank.test", "v=spf1 -all").txt("evil.test", "v=spf1 +all");
    let app = asking(&dns).await;
    let server = mail_server::open_with(&app.app, None, |limits| limits.errors = 100);
    let (mut smtp, mut lmtp) =
        (Talk::smtp(mail_server::smtp(&server)), Talk::lmtp(mail_server::lmtp(&server)));
    for head in [
        "From: a@evil.test\r\nFrom: ceo@bank.test",
        "From: a@evil.test\r\nFrom : ceo@bank.test",
        "From: a@evil.test, ceo@bank.test",
        "From: a@evil.test, ceo@bank.test\r\nSender: Ada",
        "Sender: a@evil.test\r\nFrom: a@evil.test, ceo@bank.test\r\nSender: ceo@bank.test",
        "From: ceo@bank.test, ceo@bank.test..",
        "From: <a@evil.test> <ceo@bank.test>",
        "no field\r\nFrom: ceo@bank.test",
        "Fr om: ceo@bank.test",
        "X: y\r\n\r\nFrom: ceo@bank.test",
        "From: The Bank",
        "From: The Bank:;",
    ] {
        let message = format!("Subject: forged\r\n{head}\r\nTo: {HELLO}\r\n\r\nPay this.\r\n");
        for from in ["a@evil.test", ""] {
            smtp.envelope(from, &[HELLO]).data(&message).expect("550 5.6.0 The ");
        }
        lmtp.envelope("a@evil.test", &[HELLO])
            .data(&message)
            .expect("550 5.6.0 <hello@gatepost.localhost> The ");
    }
    assert!(app.stored().is_empty());
}
