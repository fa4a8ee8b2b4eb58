//! The team: its people, open invitations, and inviting.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::people::invitations::{self, Invitation, InvitationId};
use crate::domain::people::members::{self, Member as Row};
use crate::domain::people::roles::{MemberRole, Role};
use crate::domain::text::EmailAddress;
use crate::domain::{Error, FieldError, Result, Timestamp};
use crate::web::pages::error::PageError;
use crate::web::pages::format::When;
use crate::web::pages::guards::{Admin, Member};
use crate::web::pages::layout::Layout;
use crate::web::pages::notice::Notice;
use crate::web::pages::password_again::{self, Action};
use crate::web::pages::{Fields, FormErrors, html, html_with_secret, see_other_with};
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
    /// The viewer's id, for leaving.
    own_id: String,
    days: i64,
    invite: Invite<'a>,
}

struct PersonRow {
    id: String,
    person: String,
    email: String,
    role: Role,
    joined: When,
    is_self: bool,
    may_remove: bool,
    /// The person who invited the account; empty if its email is verified.
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

/// The form as sent, and its outcome.
#[derive(Default)]
struct Invite<'a> {
    email: &'a str,
    role: &'a str,
    errors: FormErrors,
    link: Option<NewLink<'a>>,
}

struct NewLink<'a> {
    email: &'a str,
    url: String,
}

pub async fn show(app: web::Data<App>, member: Member) -> std::result::Result<HttpResponse, PageError> {
    render(&app, &member, StatusCode::OK, Invite::default()).await
}

async fn render(
    app: &App,
    viewer: &Viewer,
    status: StatusCode,
    invite: Invite<'_>,
) -> std::result::Result<HttpResponse, PageError> {
    let (team, actor, now) = (viewer.team.id, viewer.actor(), viewer.request.now);
    let (people, open) = app
        .read(move |tx| Ok::<_, Error>((members::list(tx, team)?, invitations::list_open(tx, team)?)))
        .await?;
    let layout = Layout::new(viewer, "team");
    let html = if invite.link.is_some() { html_with_secret } else { html };
    // Only those who can invite see invitations.
    let open = if layout.is_admin { open } else { Vec::new() };
    let page = TeamPage {
        is_owner: viewer.role == Role::Owner,
        own_id: viewer.user.id.to_string(),
        days: invitations::LIFETIME.whole_days(),
        people: people.into_iter().map(|row| person(&actor, viewer, row)).collect(),
        invitations: open.into_iter().map(|row| invitation(row, now)).collect(),
        layout,
        invite,
    };
    html(status, &page)
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

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct InviteForm {
    email: String,
    role: String,
    password: Zeroizing<String>,
}

/// Responds with the link itself: a redirect would put it in an address.
pub async fn invite(
    app: web::Data<App>,
    site: web::Data<Site>,
    admin: Admin,
    form: web::Form<InviteForm>,
) -> std::result::Result<HttpResponse, PageError> {
    let form = form.into_inner();
    // Invited people could take actions that ask for the password.
    let fields = vec![("email", form.email.clone()), ("role", form.role.clone())];
    let action = paths::TEAM_INVITATIONS.0;
    let asked = Action { nav: "team", to: "invite someone", action, fields, always: false };
    if let Some(page) = password_again::ask(&app, &admin, Some(&form.password), &asked).await? {
        return Ok(page);
    }
    let (status, invite) = match create_invite_link(&app, &admin, &site, &form).await {
        Ok(url) => {
            let link = Some(NewLink { email: &form.email, url });
            (StatusCode::OK, Invite { link, ..Invite::default() })
        }
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            (status, Invite { email: &form.email, role: &form.role, errors, link: None })
        }
    };
    render(&app, &admin, status, invite).await
}

async fn create_invite_link(app: &App, viewer: &Viewer, site: &Site, form: &InviteForm) -> Result<String> {
    let mut fields = Fields::default();
    let email = fields.take(EmailAddress::parse(&form.email));
    let role = MemberRole::parse(&form.role)
        .ok_or_else(|| FieldError::new("role", "Choose a role: member or admin."));
    let role = fields.take(role);
    let (email, role) = fields.done(email.zip(role))?;
    let (actor, team) = (viewer.actor(), viewer.team.id);
    let secret = app.write(move |tx| invitations::invite(tx, &actor, team, &email, role)).await?;
    Ok(format!("{}{}", site.url.as_str(), paths::INVITATION.of(&*secret)))
}

pub async fn revoke_invitation(
    app: web::Data<App>,
    admin: Admin,
    id: web::Path<InvitationId>,
) -> std::result::Result<HttpResponse, PageError> {
    let id = id.into_inner();
    let (actor, team) = (admin.actor(), admin.team.id);
    app.write(move |tx| invitations::revoke(tx, &actor, team, id)).await?;
    Ok(see_other_with(paths::TEAM, Notice::InvitationRevoked))
}
