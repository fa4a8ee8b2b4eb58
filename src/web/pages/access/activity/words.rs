//! Records in plain words.

use serde_json::{Map, Value};

use crate::domain::access::activity::{ActivityKind, Record};

/// A record's kind as the filter names it.
pub fn name(kind: ActivityKind) -> &'static str {
    match kind {
        ActivityKind::ApiRequest => "API request",
        ActivityKind::ApiRefused => "API request refused",
        ActivityKind::ApiEnabled => "API switched on",
        ActivityKind::ApiDisabled => "API switched off",
        ActivityKind::ApiSwitchRefused => "API switch refused",
        ActivityKind::PlanChanged => "Plan changed",
        ActivityKind::TokenCreated => "Token created",
        ActivityKind::TokenRenamed => "Token renamed",
        ActivityKind::TokenRevoked => "Token revoked",
        ActivityKind::TokenCapChanged => "Token's limit changed",
        ActivityKind::TeamKeyEnabled => "Team key switched on",
        ActivityKind::TeamKeyShown => "Team key shown",
        ActivityKind::TeamKeyRegenerated => "Team key regenerated",
        ActivityKind::TeamKeyDisabled => "Team key switched off",
        ActivityKind::TeamFounded => "Team founded",
        ActivityKind::OwnershipTransferred => "Team handed over",
        ActivityKind::PersonInvited => "Person invited",
        ActivityKind::InvitationRevoked => "Invitation revoked",
        ActivityKind::PersonJoined => "Person joined",
        ActivityKind::RoleChanged => "Role changed",
        ActivityKind::PersonRemoved => "Person removed",
        ActivityKind::SignedIn => "Signed in",
        ActivityKind::SignInFailed => "Sign-in failed",
        ActivityKind::SignedOut => "Signed out",
        ActivityKind::SessionRevoked => "Session ended",
        ActivityKind::TeamSwitched => "Team switched",
        ActivityKind::PasswordChanged => "Password changed",
        ActivityKind::NameChanged => "Name changed",
        ActivityKind::DomainAdded => "Domain added",
        ActivityKind::DomainVerified => "Domain verified",
        ActivityKind::DomainSuspended => "Domain suspended",
        ActivityKind::DomainRemoved => "Domain removed",
        ActivityKind::CatchAllChanged => "Catch-all changed",
        ActivityKind::AliasCreated => "Alias created",
        ActivityKind::AliasChanged => "Alias changed",
        ActivityKind::AliasDeleted => "Alias deleted",
        ActivityKind::ContactCreated => "Contact created",
        ActivityKind::ContactChanged => "Contact changed",
        ActivityKind::ContactDeleted => "Contact deleted",
        ActivityKind::MessageDeleted => "Message deleted",
    }
}

/// What was done, to be read after who did it.
pub fn sentence(record: &Record) -> String {
    let told = Told::by(record);
    let subject = told.subject();
    match record.kind {
        ActivityKind::ApiRequest | ActivityKind::ApiRefused => told.call(),
        ActivityKind::ApiEnabled => "Switched API access on".into(),
        ActivityKind::ApiDisabled => "Switched API access off".into(),
        ActivityKind::ApiSwitchRefused => {
            format!("Was refused to switch API access {}", told.text("asked"))
        }
        ActivityKind::PlanChanged => {
            format!("Changed the plan from {} to {}", told.text("from"), told.text("to"))
        }
        ActivityKind::TokenCreated => format!("Created the token “{subject}”"),
        ActivityKind::TokenRenamed => format!("Renamed the token “{}” to “{subject}”", told.text("from")),
        ActivityKind::TokenRevoked => format!("Revoked the token “{subject}”"),
        ActivityKind::TokenCapChanged => told.cap(),
        ActivityKind::TeamKeyEnabled => format!("Switched the team key on: {subject}…"),
        ActivityKind::TeamKeyShown => format!("Showed the team key {subject}…"),
        ActivityKind::TeamKeyRegenerated => format!("Regenerated the team key: {subject}… is the new one"),
        ActivityKind::TeamKeyDisabled => format!("Switched the team key {subject}… off"),
        ActivityKind::TeamFounded => format!("Founded the team {subject} for {}", told.text("owner")),
        ActivityKind::OwnershipTransferred => format!("Handed the team over to {subject}"),
        ActivityKind::PersonInvited => format!("Invited {subject} as {}", told.role("role")),
        ActivityKind::InvitationRevoked => format!("Revoked the invitation of {subject}"),
        ActivityKind::PersonJoined => told.joining(),
        ActivityKind::RoleChanged => format!("Made {subject} {}", told.role("to")),
        ActivityKind::PersonRemoved => told.removal(),
        ActivityKind::SignedIn => "Signed in".into(),
        ActivityKind::SignInFailed => "Failed to sign in: wrong password".into(),
        ActivityKind::SignedOut => "Signed out".into(),
        ActivityKind::SessionRevoked => told.sessions(),
        ActivityKind::TeamSwitched => "Turned to this team from another".into(),
        ActivityKind::PasswordChanged => "Changed the password".into(),
        ActivityKind::NameChanged => format!("Changed their name to {subject}"),
        _ => told.mail(),
    }
}

/// `1.2 ms`
pub fn milliseconds(micros: i32) -> String {
    format!("{:.1} ms", f64::from(micros) / 1000.0)
}

/// One more thing a record tells.
pub struct Fact {
    pub name: String,
    pub value: String,
}

/// What a record keeps besides its sentence.
pub fn facts(record: &Record) -> Vec<Fact> {
    let told = Told::by(record);
    told.detail.keys().map(|key| Fact { name: fact_name(key), value: told.text(key) }).collect()
}

fn fact_name(key: &str) -> String {
    let known = match key {
        "asked" => "Asked for",
        "from" => "Before",
        "to" => "After",
        "reason" => "Reason",
        "role" => "Role",
        "scopes" => "Scopes",
        "owner" => "Owner",
        "plan" => "Plan",
        "invitedBy" => "Invited by",
        "account" => "Account",
        "tokensRevoked" => "Tokens revoked with it",
        "sessions" | "sessionsEnded" => "Sessions ended",
        other => other,
    };
    known.to_owned()
}

struct Told<'a> {
    record: &'a Record,
    detail: Map<String, Value>,
}

impl<'a> Told<'a> {
    fn by(record: &'a Record) -> Self {
        let detail = record.detail.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Self { record, detail: detail.unwrap_or_default() }
    }

    fn subject(&self) -> &str {
        self.record.subject.as_deref().unwrap_or_default()
    }

    /// What was done in the mailroom.
    fn mail(&self) -> String {
        let subject = self.subject();
        let done = match self.record.kind {
            ActivityKind::DomainAdded => "Added the domain",
            ActivityKind::DomainVerified => "Proved to own the domain",
            ActivityKind::DomainSuspended => "Suspended the domain",
            ActivityKind::DomainRemoved => "Removed the domain",
            ActivityKind::CatchAllChanged => return self.catch_all(),
            ActivityKind::AliasCreated => "Created the alias",
            ActivityKind::AliasChanged => "Changed the alias",
            ActivityKind::AliasDeleted => "Deleted the alias",
            ActivityKind::ContactCreated => "Added the contact",
            ActivityKind::ContactChanged => "Changed the contact",
            ActivityKind::ContactDeleted => "Deleted the contact",
            ActivityKind::MessageDeleted => "Deleted the message from",
            other => other.as_str(),
        };
        format!("{done} {subject}")
    }

    fn catch_all(&self) -> String {
        match (self.subject(), self.text("to")) {
            (domain, to) if to.is_empty() => format!("Switched the catch-all of {domain} off"),
            (domain, to) => format!("Made {to} the catch-all of {domain}"),
        }
    }

    fn text(&self, key: &str) -> String {
        match self.detail.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    fn number(&self, key: &str) -> i64 {
        self.detail.get(key).and_then(Value::as_i64).unwrap_or_default()
    }

    fn call(&self) -> String {
        let Record { method, route, .. } = self.record;
        format!("{} {}", method.as_deref().unwrap_or_default(), route.as_deref().unwrap_or_default())
    }

    fn cap(&self) -> String {
        match (self.subject(), self.detail.get("to")) {
            (subject, None) => format!("Removed the hourly limit of the token “{subject}”"),
            (subject, Some(to)) => format!("Set the hourly limit of the token “{subject}” to {to}"),
        }
    }

    fn role(&self, key: &str) -> String {
        let role = self.text(key);
        let article = if role.starts_with(['a', 'o']) { "an" } else { "a" };
        format!("{article} {role}")
    }

    fn joining(&self) -> String {
        let account = if self.detail.contains_key("account") { " with a new account" } else { "" };
        format!("Joined the team as {}{account}", self.role("role"))
    }

    fn removal(&self) -> String {
        match self.subject() {
            own if self.record.actor_label.as_deref() == Some(own) => "Left the team".into(),
            other => format!("Removed {other} from the team"),
        }
    }

    fn sessions(&self) -> String {
        match self.number("sessions") {
            1 => "Signed out one other session".into(),
            n => format!("Signed out {n} other sessions"),
        }
    }
}
