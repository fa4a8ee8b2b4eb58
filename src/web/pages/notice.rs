//! Notices of completed actions, shown once on the next page. Only sentences from this table are shown;
//! [`crate::web::flash`] carries their codes.

use std::fmt;

use crate::domain::nouns::Noun;
use crate::web::nouns::Done;
use crate::web::paths::{self, Path};

struct Words {
    code: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! notices {
    ($($name:ident = $code:literal, $kind:literal, $text:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Notice {
            $($name,)+
            Created(Noun),
            Changed(Noun),
            Deleted(Noun),
        }

        impl Notice {
            const OWN: &'static [Self] = &[$(Self::$name),+];

            const fn words(self) -> Words {
                match self {
                    $(Self::$name => Words { code: $code, kind: $kind, text: $text },)+
                    Self::Created(noun) => noun_words(&noun.words().created),
                    Self::Changed(noun) => noun_words(&noun.words().changed),
                    Self::Deleted(noun) => noun_words(&noun.words().deleted),
                }
            }
        }
    };
}

const fn noun_words(done: &Done) -> Words {
    Words { code: done.code, kind: "success", text: done.sentence }
}

impl Notice {
    /// The code in the cookie.
    pub const fn code(self) -> &'static str {
        self.words().code
    }

    pub fn parse(code: &str) -> Option<Self> {
        Self::all().find(|notice| notice.code() == code)
    }

    fn all() -> impl Iterator<Item = Self> {
        let of_nouns = Noun::ALL
            .into_iter()
            .flat_map(|noun| [Self::Created(noun), Self::Changed(noun), Self::Deleted(noun)]);
        Self::OWN.iter().copied().chain(of_nouns)
    }

    pub const fn kind(self) -> &'static str {
        self.words().kind
    }

    pub const fn text(self) -> &'static str {
        self.words().text
    }

    /// The path that its Undo posts to.
    pub const fn undo_path(self) -> Path {
        match self {
            Self::ContactsBlocked | Self::ContactsAllowed | Self::ContactsUnblocked => paths::CONTACTS_CHOSEN,
            Self::AliasOn | Self::AliasOff | Self::AliasesOn | Self::AliasesOff => paths::ALIASES_CHOSEN,
            _ => paths::INBOX_CHOSEN,
        }
    }
}

/// The form in a toast that undoes a change: the names and values of its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    pub fields: Vec<(String, String)>,
}

impl Undo {
    /// The action, then its ids and [`Self::back_to`].
    const FIELDS: [&str; 6] = ["do", "id", "unset", "allowed", "blocked", "back"];

    pub fn new(action: &str, fields: impl Iterator<Item = (&'static str, String)>) -> Self {
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        Self { fields: [("do".to_owned(), action.to_owned())].into_iter().chain(fields).collect() }
    }

    /// The address of the list that it returns to.
    pub fn back_to(mut self, address: String) -> Self {
        self.fields.push(("back".into(), address));
        self
    }

    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<(String, String)> = serde_html_form::from_str(text).ok()?;
        let is_known = |(name, _): &(String, String)| Self::FIELDS.contains(&&**name);
        (!fields.is_empty() && fields.iter().all(is_known)).then_some(Self { fields })
    }
}

/// The inverse of [`Undo::parse`].
impl fmt::Display for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_html_form::to_string(&self.fields).map_err(|_| fmt::Error)?)
    }
}

notices! {
    ApiOn = "api-on", "success", "API access is on. Apps with an active token can use the API.";
    ApiOff = "api-off", "success", "API access is off. All API requests are refused.";
    TokenRevoked = "token-revoked", "success", "Token revoked. It no longer works.";
    TokenRevokedAlready = "token-revoked-already", "info", "This token was already revoked.";
    TokenRenamed = "token-renamed", "success", "Token renamed.";
    TokenCapChanged = "token-cap-changed", "success", "Hourly limit updated.";
    TeamKeyOff = "team-key-off", "success", "Team key turned off. The old key no longer works.";
    InvitationRevoked = "invitation-revoked", "success", "Invitation revoked. Its link no longer works.";
    RoleChanged = "role-changed", "success", "Role updated.";
    PersonRemoved = "person-removed", "success", "Person removed from the team.";
    Left = "left", "success", "You left the team.";
    TeamRenamed = "team-renamed", "success", "Team renamed.";
    TeamDeleted = "team-deleted", "success", "Team deleted.";
    Transferred = "transferred", "success", "Ownership transferred. You're an admin now.";
    Joined = "joined", "success", "Welcome to the team.";
    Welcome = "welcome", "success", "Your team is ready. Turn on API access to create your first token.";
    NameChanged = "name-changed", "success", "Name changed.";
    SingleKeysOn = "single-keys-on", "success", "Single-key shortcuts are on in this browser.";
    SingleKeysOff = "single-keys-off", "success", "Single-key shortcuts are off in this browser.";
    PasswordChanged = "password-changed", "success", "Password changed. All other sessions were signed out.";
    SessionRevoked = "session-revoked", "success", "Session signed out.";
    SessionsRevoked = "sessions-revoked", "success", "All other sessions signed out.";
    TeamSwitched = "team-switched", "success", "Team switched.";
    NothingChanged = "nothing-changed", "info", "No changes to save.";
    AliasReady = "alias-ready", "success", "Alias created. Mail to it appears here.";
    AliasCreated = "alias-created", "success", "Alias created. Copy its address below.";
    AliasNoted = "alias-noted", "success", "Note saved.";
    AliasOn = "alias-on", "success", "Alias turned on. It receives mail.";
    AliasOff = "alias-off", "success", "Alias turned off. Mail to it is refused.";
    AliasDeleted = "alias-deleted", "success", "Alias deleted. Mail to it is refused, and its address can never be reused.";
    AliasesOn = "aliases-on", "success", "Aliases turned on. They receive mail.";
    AliasesOff = "aliases-off", "success", "Aliases turned off. Mail to them is refused.";
    MessagesRead = "messages-read", "success", "Marked as read.";
    MessageUnread = "message-unread", "success", "Marked as unread.";
    MessagesArchived = "messages-archived", "success", "Archived. Find it under All.";
    MessagesMoved = "messages-moved", "success", "Moved to Inbox.";
    SendersBlocked = "senders-blocked", "success", "Sender blocked. Their mail is under Blocked.";
    SendersUnblocked = "senders-unblocked", "success", "Sender unblocked.";
    MessageDeleted = "message-deleted", "success", "Deleted.";
    NothingChosen = "nothing-chosen", "info", "Select a message first.";
    TestSent = "test-sent", "success", "Test message delivered.";
    TestNotSent = "test-not-sent", "danger", "The test message was refused. Check that the alias is on.";
    ContactAdded = "contact-added", "success", "Contact added.";
    ContactChanged = "contact-changed", "success", "Contact updated.";
    ContactDeleted = "contact-deleted", "success", "Contact deleted. Their messages are kept.";
    ContactsBlocked = "contacts-blocked", "success", "Blocked. Their earlier mail moved to Blocked, and new mail goes there.";
    ContactsAllowed = "contacts-allowed", "success", "Allowed. Their mail is delivered.";
    ContactsUnblocked = "contacts-unblocked", "success", "Unblocked. Their mail is back in the inbox, and new mail is delivered.";
    Undone = "undone", "success", "Undone.";
    ContactsDeleted = "contacts-deleted", "success", "Contacts deleted. Their messages are kept.";
    DomainAdded = "domain-added", "success", "Domain added. Publish the records below, then select Check now.";
    DomainChecked = "domain-checked", "info", "DNS checked. Results are below.";
    CatchAllChanged = "catch-all-changed", "success", "Catch-all set. It receives new mail to addresses that don't exist.";
    CatchAllRemoved = "catch-all-removed", "success", "Catch-all removed. Mail to addresses that don't exist is refused.";
    JobRetried = "job-retried", "success", "Job queued. It'll run in a moment.";
    JobDropped = "job-dropped", "success", "Job dropped. It won't run.";
    DomainRemoved = "domain-removed", "success", "Domain removed. Mail to its aliases is refused.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notice_codes_are_unique() {
        for notice in Notice::all() {
            assert_eq!(Notice::parse(notice.code()), Some(notice));
        }
    }
}
