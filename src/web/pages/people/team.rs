//! People: the members of the team and its open invitations.

use actix_web::http::StatusCode;
use actix_web::web;
use askama::Template;

use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::people::invitations::{self, Invitation, LinkSecret};
use crate::domain::people::members::{self, Member as Row};
use crate::domain::people::roles::{MemberRole, Role};
use crate::domain::{Error, Timestamp};
use crate::web::pages::format::When;
use crate::web::pages::guards::Member;
use crate::web::pages::layout::Layout;
use crate::web::pages::{Answer, html, html_with_secret};
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

#[derive(Template)]
#[template(path = "team/page.html")]
struct TeamPage<'a> {
    layout: Layout,
    people: Vec<PersonRow>,
    invitations: Vec<InvitationRow>,
    is_owner: bool,
    days: i64,
    link: Option<NewLink<'a>>,
}

struct PersonRow {
    id: String,
    person: String,
    email: String,
    role: Role,
    joined: When,
    seen: Option<Timestamp>,
    is_self: bool,
    may_remove: bool,
    /// The person who invited the account, or empty if its email address is verified.
    vouched_by: String,
}

struct InvitationRow {
    id: String,
    email: String,
    role: MemberRole,
    invited_by: String,
    expires: When,
    is_expired: bool,
}

/// The link of a new invitation.
pub struct NewLink<'a> {
    email: &'a str,
    url: String,
}

impl<'a> NewLink<'a> {
    pub fn new(email: &'a str, site: &Site, secret: &LinkSecret) -> Self {
        Self { email, url: format!("{}{}", site.url.as_str(), paths::INVITATION.of(&**secret)) }
    }
}

pub async fn show(app: web::Data<App>, member: Member) -> Answer {
    render(&app, &member, None).await
}

pub async fn render(app: &App, viewer: &Viewer, link: Option<NewLink<'_>>) -> Answer {
    let (team, actor, now) = (viewer.team.id, viewer.actor(), viewer.request.now);
    let (people, open) = app
        .read(move |tx| Ok::<_, Error>((members::list(tx, team)?, invitations::list_open(tx, team)?)))
        .await?;
    let layout = Layout::new(viewer, "team");
    let html = if link.is_some() { html_with_secret } else { html };
    // Only those who can invite see invitations.
    let open = if layout.is_admin { open } else { Vec::new() };
    let page = TeamPage {
        is_owner: viewer.role == Role::Owner,
        days: invitations::LIFETIME.whole_days(),
        people: people.into_iter().map(|row| person(&actor, viewer, row)).collect(),
        invitations: open.into_iter().map(|row| invitation(row, now)).collect(),
        layout,
        link,
    };
    html(StatusCode::OK, &page)
}

fn person(actor: &Actor, viewer: &Viewer, row: Row) -> PersonRow {
    PersonRow {
        may_remove: members::role_to_remove(actor, &row).is_ok_and(|needed| viewer.role >= needed),
        is_self: row.user_id == viewer.user.id,
        role: row.role(),
        id: row.user_id.to_string(),
        person: row.name,
        email: row.email,
        joined: When(row.joined_at),
        seen: row.last_seen_at,
        vouched_by: row.vouched_by.unwrap_or_default(),
    }
}

fn invitation(row: Invitation, now: Timestamp) -> InvitationRow {
    InvitationRow {
        is_expired: row.is_expired(now),
        id: row.id.to_string(),
        email: row.email,
        role: row.role,
        invited_by: row.invited_by,
        expires: When(row.expires_at),
    }
}
