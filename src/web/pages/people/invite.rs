//! Inviting people, and revoking invitations.

use actix_web::http::StatusCode;
use actix_web::web;
use askama::Template;
use zeroize::Zeroizing;

use super::team::{self, NewLink};
use crate::app::App;
use crate::domain::people::invitations::{self, InvitationId, LinkSecret};
use crate::domain::people::roles::{MemberRole, Role};
use crate::domain::text::EmailAddress;
use crate::domain::{FieldError, Result};
use crate::web::htmx::Htmx;
use crate::web::pages::guards::Admin;
use crate::web::pages::notice::Notice;
use crate::web::pages::password_again::{self, Action};
use crate::web::pages::{Answer, Confirmation, Fields, FormErrors, see_other_with};
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

#[derive(Template)]
#[template(path = "team/_invite.html")]
struct Invite<'a> {
    question: &'a Confirmation,
    is_owner: bool,
    days: i64,
    form: &'a InviteForm,
    errors: FormErrors,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct InviteForm {
    email: String,
    role: String,
    password: Zeroizing<String>,
}

pub async fn ask(admin: Admin, htmx: Htmx) -> Answer {
    render(&admin, htmx, StatusCode::OK, &InviteForm::default(), FormErrors::default())
}

fn render(viewer: &Viewer, htmx: Htmx, status: StatusCode, form: &InviteForm, errors: FormErrors) -> Answer {
    let action = paths::TEAM_INVITATIONS.0.to_owned();
    let mut question = Confirmation::new(viewer, "team", "Invite someone", action);
    question.on_page("People", "Invite someone".to_owned());
    let (is_owner, days) = (viewer.role == Role::Owner, invitations::LIFETIME.whole_days());
    question.ask_in(&Invite { question: &question, is_owner, days, form, errors }, htmx, viewer, status)
}

/// Responds with the link itself, because a redirect would put it in a URL.
pub async fn invite(
    app: web::Data<App>,
    site: web::Data<Site>,
    admin: Admin,
    form: web::Form<InviteForm>,
) -> Answer {
    let form = form.into_inner();
    // Required because invited people could perform actions that require it.
    let fields = vec![("email", form.email.clone()), ("role", form.role.clone())];
    let action = paths::TEAM_INVITATIONS.0;
    let asked = Action { nav: "team", to: "invite someone", action, fields, always: false };
    if let Some(page) = password_again::ask(&app, &admin, Some(&form.password), &asked).await? {
        return Ok(page);
    }
    match create(&app, &admin, &form).await {
        Ok(secret) => team::render(&app, &admin, Some(NewLink::new(&form.email, &site, &secret))).await,
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            render(&admin, Htmx(false), status, &form, errors)
        }
    }
}

async fn create(app: &App, viewer: &Viewer, form: &InviteForm) -> Result<LinkSecret> {
    let mut fields = Fields::default();
    let email = fields.take(EmailAddress::parse(&form.email));
    let role = MemberRole::parse(&form.role)
        .ok_or_else(|| FieldError::new("role", "Choose a role: member or admin."));
    let role = fields.take(role);
    let (email, role) = fields.done(email.zip(role))?;
    let (actor, team) = (viewer.actor(), viewer.team.id);
    app.write(move |tx| invitations::invite(tx, &actor, team, &email, role)).await
}

pub async fn revoke(app: web::Data<App>, admin: Admin, id: web::Path<InvitationId>) -> Answer {
    let id = id.into_inner();
    let (actor, team) = (admin.actor(), admin.team.id);
    app.write(move |tx| invitations::revoke(tx, &actor, team, id)).await?;
    Ok(see_other_with(paths::TEAM, Notice::InvitationRevoked))
}
