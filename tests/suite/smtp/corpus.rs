//! Sends the messages of `tests/mail` by SMTP, and compares the results with `cases.json`.
//!
//! A list of expected values means any of them for an address, name or result, but all of them for a text. Fields that
//! a case doesn't mention are not checked.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::TestApp;
use crate::support::client::{Api, Visitor};
use crate::support::dns::Dns;
use crate::support::mail_server::{self, Talk};
use crate::support::people::Person;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail");

#[tokio::test]
async fn every_message_is_parsed_as_expected_on_sqlite() {
    let dns = zone();
    check(TestApp::with_settings(&settings(&dns)).await).await;
}

#[tokio::test]
async fn every_message_is_parsed_as_expected_on_postgres() {
    let dns = zone();
    check(TestApp::postgres_with_settings(&settings(&dns)).await).await;
}

fn settings(dns: &Dns) -> [(&str, &str); 2] {
    [("GATEPOST_DNS", &dns.address), ("GATEPOST_MAIL_DOMAIN", "corpus.test")]
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{FOLDER}/{name}")).unwrap_or_else(|cause| panic!("{name}: {cause}"))
}

fn zone() -> Dns {
    let records: HashMap<String, Vec<(String, String)>> =
        serde_json::from_slice(&file("zone.json")).expect("a zone");
    let dns = Dns::start();
    for (name, records) in records {
        for (kind, value) in records {
            match kind.as_str() {
                "TXT" => dns.txt(&name, &value),
                "A" => dns.a(&name, value.parse().expect("an address")),
                kind => panic!("{kind} of {name}"),
            };
        }
    }
    dns
}

struct Corpus {
    api: Api,
    reader: Visitor,
    /// Accepted messages, by case.
    taken: HashMap<String, Value>,
}

async fn check(app: TestApp) {
    let cases: Vec<Value> = serde_json::from_slice(&file("cases.json")).expect("cases");
    app.switch_api("Acme", true);
    let (api, reader) = (app.api(&app.token("Acme", "ci")), app.as_(Person::Ada).await);
    let server = mail_server::open(&app.app);
    let mut corpus = Corpus { api, reader, taken: HashMap::new() };
    let mut wrong = Vec::new();
    let mut aliases = Vec::new();
    for case in &cases {
        let (name, to) = (text(&case["name"]), text(&case["envelope"]["to"]));
        let local = to.split('@').next().expect("a local part").to_owned();
        if !aliases.contains(&local) {
            app.alias("Acme", &local);
            aliases.push(local);
        }
        let raw = file(&format!("cases/{name}.eml"));
        let reply = send(&server, text(&case["envelope"]["from"]), to, &raw);
        wrong.extend(corpus.differences(name, &case["expect"], &reply).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns the reply to the message, or to an earlier command that was refused.
fn send(server: &gatepost::smtp::MailServer, from: &str, to: &str, raw: &[u8]) -> String {
    let mut talk = Talk::smtp(mail_server::smtp(server));
    let stuffed = String::from_utf8_lossy(raw).lines().any(|line| line.starts_with('.'));
    assert!(!stuffed, "lines that start with a dot must be dot-stuffed");
    let utf8 = if from.is_ascii() && raw.is_ascii() { "" } else { " BODY=8BITMIME SMTPUTF8" };
    let mut reply = talk.say(&format!("MAIL FROM:<{from}>{utf8}")).reply();
    for line in [format!("RCPT TO:<{to}>"), "DATA".to_owned()] {
        if reply.starts_with('2') {
            reply = talk.say(&line).reply();
        }
    }
    if reply.starts_with('3') {
        let end = if raw.ends_with(b"\r\n") { ".\r\n" } else { "\r\n.\r\n" };
        reply = talk.send(raw).send(end).reply();
    }
    talk.say("QUIT").reply();
    reply
}

/// Whether the value is the expected one, or one of them.
fn is_one_of(wanted: &Value, value: &Value) -> bool {
    match wanted {
        Value::Array(any) => any.contains(value),
        one => one == value,
    }
}

fn all(wanted: &Value) -> Vec<&str> {
    match wanted {
        Value::Array(all) => all.iter().map(text).collect(),
        Value::Null => Vec::new(),
        one => vec![text(one)],
    }
}

impl Corpus {
    /// Describes each difference from the case.
    async fn differences(&mut self, name: &str, expect: &Value, reply: &str) -> Vec<String> {
        let is_right = match &expect["smtp"] {
            Value::Number(code) if *code == 5.into() => reply.starts_with('5'),
            Value::String(_) => reply.starts_with("250") || reply.starts_with('5'),
            _ => reply.starts_with("250"),
        };
        if !is_right {
            return vec![format!("{name}: the reply is {reply}")];
        }
        if !reply.starts_with("250") {
            return Vec::new();
        }
        let id = reply.split_whitespace().find(|word| word.starts_with("msg_")).expect("an id").to_owned();
        let message = self.api.get(&format!("/api/v1/messages/{id}")).await.expect(200).json();
        let mut seen = seen(&message);
        self.add_files(&id, expect, &mut seen).await;
        let mut wrong = Vec::new();
        for (key, wanted) in expect.as_object().expect("expectations") {
            let value = &seen[key.as_str()];
            let is_right = match key.as_str() {
                "smtp" => true,
                "fromAddress" | "fromName" | "spf" | "dmarc" => is_one_of(wanted, value),
                "text" => text(wanted).trim().replace("\r\n", "\n") == text(value),
                "textContains" | "htmlContains" | "previewContains" => {
                    let within = text(&seen[key.trim_end_matches("Contains")]);
                    all(wanted).iter().all(|part| within.contains(part))
                }
                "textLacks" => !all(wanted).iter().any(|part| text(&seen["text"]).contains(part)),
                "search" => self.finds(&id, wanted).await,
                "sameConversationAs" => self.is_in_conversation_of(wanted, &message),
                "notSameConversationAs" => !self.is_in_conversation_of(wanted, &message),
                "storedSeparatelyFrom" => self.taken[text(wanted)]["id"] != message["id"],
                _ => wanted == value,
            };
            if !is_right {
                wrong.push(format!("{name}: {key} should be {wanted}, and it is {value}"));
            }
        }
        self.taken.insert(name.to_owned(), message);
        wrong
    }

    async fn add_files(&self, id: &str, expect: &Value, seen: &mut Value) {
        if expect.get("inlineImages").is_some() {
            let html = self.reader.get(&format!("/inbox/{id}/html")).await.expect(200).body;
            seen["inlineImages"] = json!(html.matches(" src=\"data:image/").count());
        }
        if expect.get("attachments").is_none() {
            return;
        }
        let files = seen["attachments"].as_array_mut().expect("a list");
        for each in files {
            let path = format!("/api/v1/messages/{id}/attachments/{}", text(&each["id"]));
            let reply = self.api.request(Method::GET, &path).send().await.expect("a response");
            let bytes = reply.bytes().await.expect("a file");
            assert_eq!(each["size"], bytes.len(), "{path}");
            let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            *each = json!({"name": each["name"], "size": each["size"], "sha256": hash});
        }
    }

    async fn finds(&self, id: &str, searches: &Value) -> bool {
        for search in searches.as_array().expect("searches") {
            let query: String = url::form_urlencoded::byte_serialize(text(&search["q"]).as_bytes()).collect();
            let found =
                self.api.get(&format!("/api/v1/messages?limit=100&q={query}")).await.expect(200).json();
            let is_found = found["data"].as_array().expect("a list").iter().any(|each| each["id"] == id);
            if search["found"] != is_found {
                return false;
            }
        }
        true
    }

    fn is_in_conversation_of(&self, case: &Value, message: &Value) -> bool {
        self.taken[text(case)]["conversationId"] == message["conversationId"]
    }
}

/// A message with the field names used in cases.
fn seen(message: &Value) -> Value {
    let recipients = message["recipients"].as_array().expect("a list");
    let addresses: Vec<_> = recipients.iter().map(|each| &each["address"]).collect();
    json!({
        "subject": message["subject"],
        "fromAddress": message["from"]["address"],
        "fromName": message["from"]["name"],
        "text": text(&message["text"]).trim(),
        "html": text(&message["html"]),
        "preview": message["preview"],
        "htmlIsNull": message["html"].is_null(),
        "attachments": message["attachments"],
        "attachmentCount": message["attachmentCount"],
        "dmarc": message["authentication"]["dmarc"]["result"],
        "spf": message["authentication"]["spf"]["result"],
        "to": addresses,
        "toCount": addresses.len(),
    })
}
