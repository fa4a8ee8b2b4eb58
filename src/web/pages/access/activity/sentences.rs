//! Records as sentences.

use serde_json::{Map, Value};

use crate::domain::access::activity::Record;

/// Follows the actor's name: the first of the kind's sentences for which the record has
/// everything.
pub fn sentence(record: &Record) -> String {
    let details = Details::of(record);
    let sentences = record.kind.sentences();
    let whole = sentences.iter().find_map(|sentence| details.fill(sentence, false));
    whole.or_else(|| details.fill(sentences.last()?, true)).unwrap_or_default()
}

pub fn milliseconds(micros: i32) -> String {
    format!("{:.1} ms", f64::from(micros) / 1000.0)
}

pub struct Fact {
    pub name: String,
    pub value: String,
}

pub fn facts(record: &Record) -> Vec<Fact> {
    let details = Details::of(record);
    details.fields.keys().map(|key| Fact { name: fact_name(key), value: details.text(key) }).collect()
}

fn fact_name(key: &str) -> String {
    let known = match key {
        "asked" => "Requested",
        "from" => "Before",
        "to" => "After",
        "reason" => "Reason",
        "role" => "Role",
        "scopes" => "Scopes",
        "owner" => "Owner",
        "plan" => "Plan",
        "job" => "Job",
        "invitedBy" => "Invited by",
        "account" => "Account",
        "tokensRevoked" => "Tokens revoked",
        "sessions" | "sessionsEnded" => "Sessions ended",
        other => other,
    };
    known.to_owned()
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

    /// The sentence with the record's words; `None` when one is missing and may not be.
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
    use crate::domain::access::activity::ActivityKind;

    /// A misspelt word would be a detail that no record has.
    #[test]
    fn sentences_use_only_words_that_records_have() {
        let details = ["asked", "from", "to", "owner"];
        let made = ["a role", "a new role", "a new account", "someone else", "other sessions"];
        let known: Vec<_> = ["subject", "method", "route"].iter().chain(&details).chain(&made).collect();
        for sentence in ActivityKind::ALL.iter().flat_map(|kind| kind.sentences()) {
            let words = sentence.split(['{', '}']).skip(1).step_by(2);
            words.for_each(|word| assert!(known.contains(&&word), "{word} in {sentence}"));
        }
    }
}
