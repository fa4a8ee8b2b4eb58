//! The frame around every signed-in page.

use crate::domain::Timestamp;
use crate::domain::mailroom::messages::UNREAD_TOLD;
use crate::domain::people::members::Role;
use crate::web::actor::Actor;

pub struct Shell {
    pub person: String,
    pub email: String,
    pub team: String,
    pub team_id: String,
    pub role: Role,
    pub teams: Vec<TeamChoice>,
    pub nav: &'static str,
    pub is_admin: bool,
    pub unread: Unread,
    pub notice: Option<Notice>,
}

pub struct TeamChoice {
    pub id: String,
    pub name: String,
    pub current: bool,
}

#[derive(Clone, Copy)]
pub struct Notice {
    pub kind: &'static str,
    pub text: &'static str,
}

/// `?notice=CODE` of the page a change leads to. Only sentences from here are ever shown.
#[derive(Default, serde::Deserialize)]
pub struct NoticeQuery {
    pub notice: Option<String>,
}

const NOTICES: &[(&str, Notice)] = &[
    ("api-on", success("API access is on. Tokens of this team work now.")),
    ("api-off", success("API access is off. Every token of this team is refused from now on.")),
    ("token-revoked", success("The token is revoked. Its next call is refused.")),
    ("token-revoked-already", info("That token was revoked before.")),
    ("token-renamed", success("The token is renamed.")),
    ("token-cap-changed", success("The token's hourly limit is changed, from its next call on.")),
    ("team-key-off", success("The team key is off. The old key is refused from now on.")),
    ("invitation-revoked", success("The invitation is revoked. Its link leads nowhere now.")),
    ("role-changed", success("The role is changed, from the next request on.")),
    ("person-removed", success("They are out of the team.")),
    ("left", success("You left the team.")),
    ("transferred", success("The team has a new owner. You are an admin of it now.")),
    ("joined", success("Welcome to the team.")),
    ("welcome", success("Your team is ready. Switch the API on to hand a program its first token.")),
    ("name-changed", success("Your name is changed.")),
    ("password-changed", success("Your password is changed and every other session is signed out.")),
    ("session-revoked", success("That session is signed out.")),
    ("sessions-revoked", success("All other sessions are signed out.")),
    ("team-switched", success("You are looking at another team now.")),
    ("nothing-changed", info("Nothing was changed: it stood so already.")),
    ("alias-ready", success("The address is ready. Mail to it appears here.")),
    ("message-unread", success("The message is marked unread.")),
    ("message-deleted", success("The message is deleted, with all that came with it.")),
    ("password-entered", success("Thank you. You will not be asked again for 10 minutes.")),
    ("alias-created", success("The address is made. Copy it here and hand it out.")),
    ("alias-noted", success("The note is saved.")),
    ("alias-on", success("The address is switched on. Mail to it is taken.")),
    ("alias-off", success("The address is switched off. Mail to it is refused from now on.")),
    ("alias-deleted", success("The address is deleted. It stays reserved, and mail to it is refused.")),
    ("contact-added", success("The contact is added.")),
    ("contact-changed", success("The contact is changed, from their next message on.")),
    ("contact-deleted", success("The contact is deleted. Their messages stay.")),
    ("domain-added", success("The domain is added. Publish the two records below, then press Check now.")),
    ("domain-checked", info("The DNS was asked just now. What it said stands below.")),
    ("catch-all-changed", success("The catch-all is changed, from the next message on.")),
    ("domain-removed", success("The domain is removed. Mail to its addresses is refused from now on.")),
];

const fn success(text: &'static str) -> Notice {
    Notice { kind: "success", text }
}

const fn info(text: &'static str) -> Notice {
    Notice { kind: "info", text }
}

impl Shell {
    pub fn new(actor: &Actor, nav: &'static str, query: &NoticeQuery) -> Self {
        let code = query.notice.as_deref();
        Self {
            person: actor.user.name.clone(),
            email: actor.user.email.clone(),
            team: actor.team.name.clone(),
            team_id: actor.team.id.to_string(),
            role: actor.role,
            teams: actor.teams.iter().map(|team| choice(actor, team)).collect(),
            nav,
            is_admin: actor.role >= Role::Admin,
            unread: Unread(actor.unread),
            notice: NOTICES.iter().find(|(known, _)| Some(*known) == code).map(|(_, notice)| *notice),
        }
    }
}

fn choice(actor: &Actor, team: &crate::domain::people::teams::Team) -> TeamChoice {
    TeamChoice { id: team.id.to_string(), name: team.name.clone(), current: team.id == actor.team.id }
}

/// How many messages nobody has read, as the navigation tells it.
#[derive(Clone, Copy)]
pub struct Unread(pub i64);

impl Unread {
    /// Empty when there are none.
    pub fn told(&self) -> String {
        match self.0 {
            0 => String::new(),
            more if more > UNREAD_TOLD => format!("{UNREAD_TOLD}+"),
            count => count.to_string(),
        }
    }
}

/// A moment as templates write it.
#[derive(Clone, Copy)]
pub struct When(pub Timestamp);

impl When {
    /// For `<time datetime>`: RFC 3339 in UTC.
    pub fn rfc3339(&self) -> String {
        self.0.to_string()
    }

    /// For people: `2026-03-01 09:14:05 UTC`.
    pub fn utc(&self) -> String {
        let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
        self.0.utc().format(format).unwrap_or_default()
    }
}
