//! Every path of the dashboard. Routes, handlers and templates take it from here.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::nouns::Noun;

/// A path without parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path(pub &'static str);

/// A path with parameters, like `/contacts/{id}`.
#[derive(Clone, Copy, Debug)]
pub struct PathOf(pub &'static str);

macro_rules! paths {
    ($($kind:ident $name:ident = $path:literal;)+) => {
        $(pub const $name: $kind = $kind($path);)+
    };
}

paths! {
    Path ALIVE = "/healthz";
    Path READY = "/readyz";
    PathOf STATIC = "/static/{path:.*}";
    Path API_DESCRIPTION = "/api/v1/openapi.json";

    Path HOME = "/";
    Path SETUP = "/setup";
    Path SIGN_IN = "/sign-in";
    Path SIGN_OUT = "/sign-out";
    PathOf INVITATION = "/invitations/{secret}";

    Path TEAM = "/team";
    Path TEAM_SWITCH = "/teams/switch";
    Path TEAM_INVITATIONS = "/team/invitations";
    PathOf TEAM_INVITATION_REVOKE = "/team/invitations/{id}/revoke";
    PathOf TEAM_PERSON_ROLE = "/team/people/{id}/role";
    PathOf TEAM_PERSON_REMOVE = "/team/people/{id}/remove";
    Path TEAM_TRANSFER = "/team/transfer";
    Path SETTINGS = "/settings";
    Path TEAM_RENAME = "/settings/name";
    Path TEAM_EXPORT = "/settings/export";
    Path TEAM_DELETE = "/settings/delete";

    Path ACCOUNT = "/account";
    Path THEME = "/account/theme";
    Path SINGLE_KEYS = "/account/single-keys";
    Path ACCOUNT_NAME = "/account/name";
    Path ACCOUNT_PASSWORD = "/account/password";
    Path SESSIONS_REVOKE_OTHERS = "/account/sessions/revoke-others";
    PathOf SESSION_REVOKE = "/account/sessions/{id}/revoke";

    Path INBOX = "/inbox";
    Path INBOX_UPDATES = "/inbox/news";
    Path INBOX_UNREAD = "/inbox/unread";
    Path INBOX_CHOSEN = "/inbox/chosen";
    Path INBOX_ALIAS = "/inbox/alias";
    Path INBOX_TEST = "/inbox/test";
    PathOf MESSAGE = "/inbox/{id}";
    PathOf MESSAGE_DELETE = "/inbox/{id}/delete";
    PathOf MESSAGE_HTML = "/inbox/{id}/html";
    PathOf MESSAGE_SOURCE = "/inbox/{id}/source";
    PathOf MESSAGE_RAW = "/inbox/{id}/raw";
    PathOf ATTACHMENT = "/inbox/{id}/attachments/{attachment}";

    Path CONTACTS_CHOSEN = "/contacts/chosen";

    Path ALIASES_CHOSEN = "/aliases/chosen";
    PathOf ALIAS_NOTE = "/aliases/{id}/note";
    PathOf ALIAS_SWITCH = "/aliases/{id}/switch";

    Path DOMAINS = "/domains";
    Path DOMAIN_NEW = "/domains/new";
    PathOf DOMAIN = "/domains/{id}";
    PathOf DOMAIN_CHECK = "/domains/{id}/check";
    PathOf DOMAIN_CATCH_ALL = "/domains/{id}/catch-all";
    PathOf DOMAIN_REMOVE = "/domains/{id}/remove";

    Path DEVELOPER = "/developer";
    Path DEVELOPER_USAGE = "/developer/usage";
    Path DEVELOPER_SETTINGS = "/developer/settings";
    Path OLD_API_SETTINGS = "/settings/api";
    Path API_SWITCH = "/developer/api";
    Path TOKENS = "/developer/tokens";
    Path TOKEN_NEW = "/developer/tokens/new";
    PathOf TOKEN = "/developer/tokens/{id}";
    PathOf TOKEN_RENAME = "/developer/tokens/{id}/rename";
    PathOf TOKEN_CAP = "/developer/tokens/{id}/cap";
    PathOf TOKEN_REVOKE = "/developer/tokens/{id}/revoke";
    Path TEAM_KEY = "/developer/team-key";
    Path TEAM_KEY_SHOW = "/developer/team-key/show";
    Path TEAM_KEY_REGENERATE = "/developer/team-key/regenerate";
    Path TEAM_KEY_DISABLE = "/developer/team-key/disable";

    Path DOCS = "/developer/docs";
    PathOf DOCS_RESOURCE = "/developer/docs/{id}";
    Path DOCS_ALL = "/developer/docs/all";
    Path DOCS_LANGUAGE = "/developer/docs/language";
    PathOf DOCS_TRY = "/developer/docs/try/{id}";

    Path ACTIVITY = "/activity";
    Path ACTIVITY_EXPORT = "/activity/export";
    PathOf ACTIVITY_RECORD = "/activity/{id}";

    Path STYLE = "/style";

    Path SEARCH = "/search";
    Path SHORTCUTS = "/shortcuts";

    Path JOBS = "/jobs";
    PathOf JOB_RETRY = "/jobs/{id}/retry";
    PathOf JOB_DROP = "/jobs/{id}/drop";
}

/// The paths of a plain noun: its list, creation form, page, and deletion question.
impl Noun {
    pub const fn list(self) -> Path {
        Path(self.words().list)
    }

    pub const fn page(self) -> PathOf {
        PathOf(self.words().page)
    }

    pub const fn creation(self) -> Path {
        Path(self.words().creation)
    }

    pub const fn deletion(self) -> PathOf {
        PathOf(self.words().deletion)
    }
}

pub const ALIASES: Path = Noun::Alias.list();
pub const ALIAS_NEW: Path = Noun::Alias.creation();
pub const ALIAS: PathOf = Noun::Alias.page();
pub const ALIAS_DELETE: PathOf = Noun::Alias.deletion();
pub const CONTACTS: Path = Noun::Contact.list();
pub const CONTACT_NEW: Path = Noun::Contact.creation();
pub const CONTACT: PathOf = Noun::Contact.page();
pub const CONTACT_DELETE: PathOf = Noun::Contact.deletion();

impl Path {
    /// Adds one parameter to the query.
    pub fn with(self, name: &str, value: impl fmt::Display) -> String {
        self.query(&[(name, &value.to_string())])
    }

    pub fn query(self, parameters: &[(&str, &str)]) -> String {
        with_query(self.0, parameters)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl PathOf {
    pub fn of(self, id: impl fmt::Display) -> String {
        fill(self.0, id)
    }

    /// Fills in two parameters: an id, and a part of it.
    pub fn within(self, id: impl fmt::Display, part: impl fmt::Display) -> String {
        fill(&fill(self.0, id), part)
    }
}

/// Replaces the first parameter with a value.
fn fill(path: &str, value: impl fmt::Display) -> String {
    let (before, rest) = path.split_once('{').unwrap_or((path, "}"));
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    format!("{before}{value}{after}")
}

/// The characters that a query string leaves unescaped.
pub const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b':');

/// Adds parameters to a path, except empty ones.
pub fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<_> =
        given.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, QUERY))).collect();
    match pairs.as_slice() {
        [] => path.to_owned(),
        pairs => format!("{path}?{}", pairs.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_parameters_are_filled_in() {
        assert_eq!(CONTACT_DELETE.of("contact_1"), "/contacts/contact_1/delete");
        assert_eq!(ATTACHMENT.within("msg_1", "att_2"), "/inbox/msg_1/attachments/att_2");
        assert_eq!(INBOX.with("contact", "contact_1"), "/inbox?contact=contact_1");
        assert_eq!(ALIASES.query(&[("q", ""), ("state", "on & off")]), "/aliases?state=on%20%26%20off");
        assert_eq!(ALIASES.query(&[("q", "")]), "/aliases");
    }
}
