//! Every kind of activity: its stored name, its group in the filter, its label and its sentence.

use super::columns::{text_column, text_enum};
use super::nouns::{Kind, Noun};

text_enum! {
    /// Kinds that are filtered together.
    ActivityGroup { Requests = "requests", Access = "access", People = "people", SignIns = "sign-ins", Mail = "mail", Jobs = "jobs" }
}

impl ActivityGroup {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Requests => "API requests",
            Self::Access => "Tokens, team key and API access",
            Self::People => "People and roles",
            Self::SignIns => "Sign-ins and accounts",
            Self::Mail => "Mail",
            Self::Jobs => "Background jobs",
        }
    }
}

struct Words {
    name: &'static str,
    group: ActivityGroup,
    label: &'static str,
    sentences: &'static [&'static str],
}

macro_rules! activity_kinds {
    ($($kind:ident = $name:literal, $group:ident, $label:literal, $sentence:literal $(or $otherwise:literal)?;)+) => {
        /// The kind of a record. The stored name is `<noun>.<verb>`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum ActivityKind {
            $($kind,)+
            Created(Noun),
            Changed(Noun),
            Deleted(Noun),
        }

        text_column!(ActivityKind);

        impl ActivityKind {
            const OWN: &'static [Self] = &[$(Self::$kind),+];

            const fn words(self) -> Words {
                match self {
                    $(Self::$kind => Words {
                        name: $name,
                        group: ActivityGroup::$group,
                        label: $label,
                        sentences: &[$sentence $(, $otherwise)?],
                    },)+
                    Self::Created(noun) => noun_words(&noun.kinds().created),
                    Self::Changed(noun) => noun_words(&noun.kinds().changed),
                    Self::Deleted(noun) => noun_words(&noun.kinds().deleted),
                }
            }
        }
    };
}

activity_kinds! {
    ApiRequest = "api.request", Requests, "API request", "{method} {route}";
    // A call of a known caller that the gate refused. Doesn't count against a limit.
    ApiRefused = "api.refused", Requests, "API request refused", "{method} {route}";

    TokenCreated = "token.created", Access, "Token created", "Created the token “{subject}”";
    TokenRenamed = "token.renamed", Access, "Token renamed", "Renamed the token “{from}” to “{subject}”";
    TokenRevoked = "token.revoked", Access, "Token revoked", "Revoked the token “{subject}”";
    TokenCapChanged = "token.cap_changed", Access, "Token limit changed",
        "Set the hourly limit of the token “{subject}” to {to}" or "Removed the hourly limit of the token “{subject}”";
    TeamKeyEnabled = "team_key.enabled", Access, "Team key turned on", "Turned on the team key {subject}…";
    TeamKeyRevealed = "team_key.shown", Access, "Team key revealed", "Revealed the team key {subject}…";
    TeamKeyRegenerated = "team_key.regenerated", Access, "Team key regenerated",
        "Regenerated the team key. The new one is {subject}…";
    TeamKeyDisabled = "team_key.disabled", Access, "Team key turned off", "Turned off the team key {subject}…";
    ApiEnabled = "api.enabled", Access, "API access turned on", "Turned on API access";
    ApiDisabled = "api.disabled", Access, "API access turned off", "Turned off API access";
    ApiSwitchRefused = "api.switch_refused", Access, "API access change refused", "Tried to turn {asked} API access (refused)";
    PlanChanged = "plan.changed", Access, "Plan changed", "Changed the plan from {from} to {to}";

    PersonInvited = "person.invited", People, "Person invited", "Invited {subject} as {a role}";
    InvitationRevoked = "invitation.revoked", People, "Invitation revoked", "Revoked the invitation for {subject}";
    PersonJoined = "person.joined", People, "Person joined",
        "Joined the team as {a role} with {a new account}" or "Joined the team as {a role}";
    RoleChanged = "person.role_changed", People, "Role changed", "Made {subject} {a new role}";
    PersonRemoved = "person.removed", People, "Person removed", "Removed {someone else} from the team" or "Left the team";
    OwnershipTransferred = "team.transferred", People, "Ownership transferred", "Transferred ownership to {subject}";
    TeamRenamed = "team.renamed", People, "Team renamed", "Renamed the team from “{from}” to “{subject}”";
    TeamExported = "team.exported", People, "Data exported", "Exported all data of the team";
    TeamDeleted = "team.deleted", People, "Team deleted", "Deleted the team {subject}";
    TeamCreated = "team.founded", People, "Team created", "Created the team {subject} for {owner}";

    SignedIn = "session.signed_in", SignIns, "Signed in", "Signed in";
    SignInFailed = "session.sign_in_failed", SignIns, "Sign-in failed", "Failed to sign in: wrong password";
    SignedOut = "session.signed_out", SignIns, "Signed out", "Signed out";
    SessionRevoked = "session.revoked", SignIns, "Session ended", "Signed out {other sessions}";
    TeamSwitched = "session.team_switched", SignIns, "Team switched", "Switched to this team";
    PasswordChanged = "account.password_changed", SignIns, "Password changed", "Changed the password";
    NameChanged = "account.name_changed", SignIns, "Name changed", "Changed their name to {subject}";

    DomainAdded = "domain.added", Mail, "Domain added", "Added the domain {subject}";
    DomainVerified = "domain.verified", Mail, "Domain verified", "Verified the domain {subject}";
    DomainSuspended = "domain.suspended", Mail, "Domain suspended", "Suspended the domain {subject}";
    DomainRemoved = "domain.removed", Mail, "Domain removed", "Removed the domain {subject}";
    CatchAllChanged = "domain.catch_all_changed", Mail, "Catch-all changed",
        "Made {to} the catch-all of {subject}" or "Turned off the catch-all of {subject}";
    MessageDeleted = "message.deleted", Mail, "Message deleted", "Deleted the message from {subject}";

    JobRetried = "job.retried", Jobs, "Job retried", "Retried the job {subject}";
    JobDropped = "job.dropped", Jobs, "Job dropped", "Dropped the job {subject}";
}

const fn noun_words(kind: &'static Kind) -> Words {
    Words { name: kind.name, group: ActivityGroup::Mail, label: kind.label, sentences: &kind.sentences }
}

impl ActivityKind {
    /// The kinds of plain nouns come last.
    pub const ALL: &'static [Self] = &{
        let mut all = [Self::Created(Noun::ALL[0]); Self::OWN.len() + 3 * Noun::ALL.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = match at.checked_sub(Self::OWN.len()) {
                None => Self::OWN[at],
                Some(place) if place % 3 == 0 => Self::Created(Noun::ALL[place / 3]),
                Some(place) if place % 3 == 1 => Self::Changed(Noun::ALL[place / 3]),
                Some(place) => Self::Deleted(Noun::ALL[place / 3]),
            };
            at += 1;
        }
        all
    };

    pub const fn as_str(self) -> &'static str {
        self.words().name
    }

    pub const fn group(self) -> ActivityGroup {
        self.words().group
    }

    pub const fn label(self) -> &'static str {
        self.words().label
    }

    /// The sentence after the actor's name. `{…}` is the subject, a detail, or a text that the page derives from them.
    /// The second sentence is for records that lack one of those.
    pub const fn sentences(self) -> &'static [&'static str] {
        self.words().sentences
    }

    /// API requests, admitted or refused. All other kinds are changes.
    pub const CALLS: &'static [Self] = &[Self::ApiRequest, Self::ApiRefused];

    pub fn is_call(self) -> bool {
        Self::CALLS.contains(&self)
    }
}
