//! Records as sentences.

use serde_json::{Map, Value};

use crate::domain::access::activity::{ActivityKind, Record};

pub fn name(kind: ActivityKind) -> &'static str {
    match kind {
        ActivityKind::ApiRequest => "API request",
        ActivityKind::ApiRefused => "API request refused",
        ActivityKind::ApiEnabled => "API access turned on",
        ActivityKind::ApiDisabled => "API access turned off",
        ActivityKind::ApiSwitchRefused => "API access change refused",
        ActivityKind::PlanChanged => "Plan changed",
        ActivityKind::TokenCreated => "Token created",
        ActivityKind::TokenRenamed => "Token renamed",
        ActivityKind::TokenRevoked => "Token revoked",
        ActivityKind::TokenCapChanged => "Token limit changed",
        ActivityKind::TeamKeyEnabled => "Team key turned on",
        ActivityKind::TeamKeyShown => "Team key revealed",
        ActivityKind::TeamKeyRegenerated => "Team key regenerated",
        ActivityKind::TeamKeyDisabled => "Team key turned off",
        ActivityKind::TeamFounded => "Team created",
        ActivityKind::OwnershipTransferred => "Ownership transferred",
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
        ActivityKind::JobRetried => "Job retried",
        ActivityKind::JobDropped => "Job dropped",
    }
}

/// Follows the actor's name.
pub fn sentence(record: &Record) -> String {
    let details = Details::of(record);
    let subject = details.subject();
    match record.kind {
        ActivityKind::ApiRequest | ActivityKind::ApiRefused => details.call(),
        ActivityKind::ApiEnabled => "Turned on API access".into(),
        ActivityKind::ApiDisabled => "Turned off API access".into(),
        ActivityKind::ApiSwitchRefused => {
            format!("Tried to turn {} API access (refused)", details.text("asked"))
        }
        ActivityKind::PlanChanged => {
            format!("Changed the plan from {} to {}", details.text("from"), details.text("to"))
        }
        ActivityKind::TokenCreated => format!("Created the token “{subject}”"),
        ActivityKind::TokenRenamed => format!("Renamed the token “{}” to “{subject}”", details.text("from")),
        ActivityKind::TokenRevoked => format!("Revoked the token “{subject}”"),
        ActivityKind::TokenCapChanged => details.cap(),
        ActivityKind::TeamKeyEnabled => format!("Turned on the team key {subject}…"),
        ActivityKind::TeamKeyShown => format!("Revealed the team key {subject}…"),
        ActivityKind::TeamKeyRegenerated => format!("Regenerated the team key. The new one is {subject}…"),
        ActivityKind::TeamKeyDisabled => format!("Turned off the team key {subject}…"),
        ActivityKind::TeamFounded => format!("Created the team {subject} for {}", details.text("owner")),
        ActivityKind::OwnershipTransferred => format!("Transferred ownership to {subject}"),
        ActivityKind::PersonInvited => format!("Invited {subject} as {}", details.role("role")),
        ActivityKind::InvitationRevoked => format!("Revoked the invitation for {subject}"),
        ActivityKind::PersonJoined => details.join(),
        ActivityKind::RoleChanged => format!("Made {subject} {}", details.role("to")),
        ActivityKind::PersonRemoved => details.remove(),
        ActivityKind::SignedIn => "Signed in".into(),
        ActivityKind::SignInFailed => "Failed to sign in: wrong password".into(),
        ActivityKind::SignedOut => "Signed out".into(),
        ActivityKind::SessionRevoked => details.sessions(),
        ActivityKind::TeamSwitched => "Switched to this team".into(),
        ActivityKind::PasswordChanged => "Changed the password".into(),
        ActivityKind::NameChanged => format!("Changed their name to {subject}"),
        _ => details.mail(),
    }
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

    fn mail(&self) -> String {
        let subject = self.subject();
        let action = match self.record.kind {
            ActivityKind::DomainAdded => "Added the domain",
            ActivityKind::DomainVerified => "Verified the domain",
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
            ActivityKind::JobRetried => "Retried the job",
            ActivityKind::JobDropped => "Dropped the job",
            other => other.as_str(),
        };
        format!("{action} {subject}")
    }

    fn catch_all(&self) -> String {
        match (self.subject(), self.text("to")) {
            (domain, to) if to.is_empty() => format!("Turned off the catch-all of {domain}"),
            (domain, to) => format!("Made {to} the catch-all of {domain}"),
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

    fn call(&self) -> String {
        let Record { method, route, .. } = self.record;
        format!("{} {}", method.as_deref().unwrap_or_default(), route.as_deref().unwrap_or_default())
    }

    fn cap(&self) -> String {
        match (self.subject(), self.fields.get("to")) {
            (subject, None) => format!("Removed the hourly limit of the token “{subject}”"),
            (subject, Some(to)) => format!("Set the hourly limit of the token “{subject}” to {to}"),
        }
    }

    fn role(&self, key: &str) -> String {
        let role = self.text(key);
        let article = if role.starts_with(['a', 'o']) { "an" } else { "a" };
        format!("{article} {role}")
    }

    fn join(&self) -> String {
        let account = if self.fields.contains_key("account") { " with a new account" } else { "" };
        format!("Joined the team as {}{account}", self.role("role"))
    }

    fn remove(&self) -> String {
        match self.subject() {
            own if self.record.actor_label.as_deref() == Some(own) => "Left the team".into(),
            other => format!("Removed {other} from the team"),
        }
    }

    fn sessions(&self) -> String {
        match self.number("sessions") {
            1 => "Signed out 1 other session".into(),
            n => format!("Signed out {n} other sessions"),
        }
    }
}
