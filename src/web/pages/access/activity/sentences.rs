//! Records as sentences.

use serde_json::{Map, Value};

use crate::domain::access::activity::{ActivityKind, BEFORE, Record};
use crate::domain::access::usage::Grouped;

/// Returns the part after the actor's name, from the first sentence whose placeholders the record can fill.
pub fn sentence(record: &Record) -> String {
    let details = Details::of(record);
    let sentences = record.kind.sentences();
    let whole = sentences.iter().find_map(|sentence| details.fill(sentence, false));
    whole.or_else(|| details.fill(sentences.last()?, true)).unwrap_or_default()
}

pub fn milliseconds(micros: i32) -> String {
    format!("{:.1} ms", f64::from(micros) / 1000.0)
}

/// Explains why a request failed; empty if it succeeded.
pub fn reason(status: u16) -> &'static str {
    match status {
        _ if status < 400 => "",
        400 => "The request was invalid",
        401 => "The token is not valid",
        403 => "Not allowed for this token",
        404 => "Not found",
        405 => "The method is not supported",
        409 => "Conflicts with existing data",
        412 => "Changed by someone else since it was read",
        413 => "The request was too large",
        422 => "A value was invalid",
        428 => "The version is missing (If-Match)",
        429 => "Over the hourly limit",
        _ if status < 500 => "Refused",
        503 => "Temporarily unavailable",
        _ => "Failed",
    }
}

/// A detail of a record, with its earlier value if known.
pub struct Fact {
    pub name: String,
    pub value: String,
    pub before: String,
}

pub fn facts(record: &Record) -> Vec<Fact> {
    let details = Details::of(record);
    let before = details.fields.get(BEFORE).and_then(Value::as_object);
    let fact = |key: &String| Fact {
        name: fact_name(record.kind, key),
        value: readable(key, details.fields.get(key)),
        before: readable(key, before.and_then(|before| before.get(key))),
    };
    details.fields.keys().filter(|key| *key != BEFORE).map(fact).collect()
}

/// Details that the sentence doesn't mention.
pub fn details(record: &Record) -> Vec<String> {
    let in_sentence = |fact: &Fact| record.kind.sentences().iter().any(|sentence| mentions(sentence, fact));
    let facts = facts(record).into_iter().filter(|fact| !fact.value.is_empty() && !in_sentence(fact));
    facts
        .map(|Fact { name, value, before }| match before.as_str() {
            "" => format!("{name}: {value}"),
            before => format!("{name}: {before} → {value}"),
        })
        .collect()
}

/// Whether the sentence already states the fact.
fn mentions(sentence: &str, fact: &Fact) -> bool {
    let placeholders: &[&str] = match fact.name.as_str() {
        "Before" => &["{from}"],
        "After" => &["{to}", "{a new role}"],
        "Requested" => &["{asked}"],
        "Role" => &["{a role}"],
        "Account" => &["{a new account}"],
        "Owner" => &["{owner}"],
        "Sessions ended" => &["{other sessions}"],
        _ => &[],
    };
    placeholders.iter().any(|placeholder| sentence.contains(placeholder))
}

fn fact_name(kind: ActivityKind, key: &str) -> String {
    let known = match (kind, key) {
        (ActivityKind::MessageDeleted, "to") => "Sent to",
        (_, "asked") => "Requested",
        (_, "from") => "Before",
        (_, "to") => "After",
        (_, "enabled") => "Receives mail",
        (_, "state") => "Status",
        (_, "reason") => "Reason",
        (_, "role") => "Role",
        (_, "scopes") => "Permissions",
        (_, "owner") => "Owner",
        (_, "plan") => "Plan",
        (_, "job") => "Job",
        (_, "message") => "Message",
        (_, "invitedBy") => "Invited by",
        (_, "account") => "Account",
        (_, "tokensRevoked") => "Tokens revoked",
        (_, "sessions" | "sessionsEnded") => "Sessions ended",
        (_, other) => other,
    };
    known.to_owned()
}

/// Formats a value for people: `on`, `not reviewed`, `1,000`.
fn readable(key: &str, value: Option<&Value>) -> String {
    match (key, value) {
        (_, None | Some(Value::Null)) => String::new(),
        (_, Some(Value::Bool(on))) => if *on { "on" } else { "off" }.to_owned(),
        (_, Some(Value::Number(number))) => {
            number.as_i64().map_or(number.to_string(), |number| Grouped(number).to_string())
        }
        ("state", Some(Value::String(state))) if state == "unset" => "not reviewed".to_owned(),
        (_, Some(Value::String(text))) => text.clone(),
        (_, Some(other)) => other.to_string(),
    }
}

struct Details<'a> {
    record: &'a Record,
    fields: Map<String, Value>,
}

impl<'a> Details<'a> {
    fn of(record: &'a Record) -> Self {
        let fields = record.detail.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Self { record, fields: fields.unwrap_or_default() }
    }

    fn subject(&self) -> &str {
        self.record.subject.as_deref().unwrap_or_default()
    }

    /// Fills in the placeholders. Returns `None` if the record lacks one, unless `may_lack`.
    fn fill(&self, sentence: &str, may_lack: bool) -> Option<String> {
        let mut parts = sentence.split(['{', '}']);
        let mut filled = parts.next().unwrap_or_default().to_owned();
        while let (Some(name), Some(text)) = (parts.next(), parts.next()) {
            match self.word(name) {
                word if word.is_empty() && !may_lack => return None,
                word => filled += &word,
            }
            filled += text;
        }
        Some(filled)
    }

    fn word(&self, name: &str) -> String {
        match name {
            "subject" => self.subject().to_owned(),
            "method" => self.record.method.clone().unwrap_or_default(),
            "route" => self.record.route.clone().unwrap_or_default(),
            "a role" => self.role("role"),
            "a new role" => self.role("to"),
            "a new account" if self.fields.contains_key("account") => "a new account".into(),
            "someone else" if self.record.actor_label != self.record.subject => self.subject().to_owned(),
            "other sessions" => self.sessions(),
            detail => self.text(detail),
        }
    }

    fn text(&self, key: &str) -> String {
        match self.fields.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    fn number(&self, key: &str) -> i64 {
        self.fields.get(key).and_then(Value::as_i64).unwrap_or_default()
    }

    fn role(&self, key: &str) -> String {
        let role = self.text(key);
        let article = if role.starts_with(['a', 'o']) { "an" } else { "a" };
        format!("{article} {role}")
    }

    fn sessions(&self) -> String {
        match self.number("sessions") {
            1 => "1 other session".into(),
            n => format!("{n} other sessions"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::activity::ActivityKind;

    fn shown(key: &str, value: &str) -> String {
        readable(key, serde_json::from_str(value).ok().as_ref())
    }

    #[test]
    fn values_are_readable() {
        assert_eq!([shown("enabled", "true"), shown("enabled", "false")], ["on", "off"]);
        assert_eq!(shown("to", "25000"), "25,000");
        assert_eq!(shown("state", "\"unset\""), "not reviewed");
        assert_eq!(readable("to", None), "");
    }

    /// A misspelled placeholder would never be filled.
    #[test]
    fn sentences_use_only_known_placeholders() {
        let details = ["asked", "from", "to", "owner"];
        let derived = ["a role", "a new role", "a new account", "someone else", "other sessions"];
        let known: Vec<_> = ["subject", "method", "route"].iter().chain(&details).chain(&derived).collect();
        for sentence in ActivityKind::ALL.iter().flat_map(|kind| kind.sentences()) {
            let words = sentence.split(['{', '}']).skip(1).step_by(2);
            words.for_each(|word| assert!(known.contains(&&word), "{word} in {sentence}"));
        }
    }
}
