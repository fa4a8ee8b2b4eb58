//! Changing a member's role and removing members. Both ask what happens to their tokens.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::left_behind::LeftBehind;
use crate::app::App;
use crate::domain::Error;
use crate::domain::access::tokens;
use crate::domain::people::invitations;
use crate::domain::people::members::{self, Member as Row, TheirTokens};
use crate::domain::people::roles::{MemberRole, Role};
use crate::domain::people::users::UserId;
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::{Member, Owner};
use crate::web::pages::notice::Notice;
use crate::web::pages::password_again::{self, Action};
use crate::web::pages::{Confirmation, see_other, see_other_with};
use crate::web::paths;
use crate::web::viewer::Viewer;

type Answer = Result<HttpResponse, PageError>;

#[derive(Template)]
#[template(path = "team/_remove.html")]
struct Remove<'a> {
    question: &'a Confirmation,
    team: &'a str,
    person: String,
    is_self: bool,
    decides: bool,
    left: LeftBehind,
}

#[derive(Template)]
#[template(path = "team/_role.html")]
struct Demote<'a> {
    question: &'a Confirmation,
    person: String,
    is_self: bool,
    left: LeftBehind,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Form {
    role: String,
    tokens: String,
    password: Zeroizing<String>,
}

impl Form {
    /// `None` if the form did not ask.
    fn their_tokens(&self) -> Result<Option<TheirTokens>, PageError> {
        match self.tokens.as_str() {
            "" => Ok(None),
            "keep" => Ok(Some(TheirTokens::Keep)),
            "revoke" => Ok(Some(TheirTokens::Revoke)),
            _ => Err(PageError::bad_request("The field tokens must be keep or revoke.")),
        }
    }
}

pub async fn ask_to_remove(
    app: web::Data<App>,
    member: Member,
    htmx: Htmx,
    path: web::Path<UserId>,
) -> Answer {
    let (row, left) = load(&app, &member, path.into_inner()).await?;
    let actor = member.actor();
    let needed = members::role_to_remove(&actor, &row)?;
    if member.role < needed {
        return Err(PageError::role_needed(needed));
    }
    let (team, is_self) = (&member.team.name, row.user_id == member.user.id);
    let title = if is_self { "Leave team" } else { "Remove from team" };
    let (nav, from) = if is_self { ("settings", "Settings") } else { ("team", "People") };
    let mut question = Confirmation::new(&member, nav, title, paths::TEAM_PERSON_REMOVE.of(row.user_id));
    question.on_page(from, if is_self { format!("Leave {team}?") } else { format!("Remove {}?", row.name) });
    let decides = members::decides_on_tokens(&actor, &row);
    let dialog = Remove { question: &question, team, person: row.name, is_self, decides, left };
    question.ask_in(&dialog, htmx, &member, StatusCode::OK)
}

/// Asks again if the form doesn't say what happens to the tokens, which may have been created since it was loaded.
pub async fn remove(
    app: web::Data<App>,
    member: Member,
    path: web::Path<UserId>,
    form: web::Form<Form>,
) -> Answer {
    let (user, choice) = (path.into_inner(), form.their_tokens()?);
    let (actor, team) = (member.actor(), member.team.id);
    let done = app.write(move |tx| {
        let row = members::find(tx, team, user)?.ok_or(Error::NotFound)?;
        let asks = choice.is_none() && members::decides_on_tokens(&actor, &row);
        if asks && !tokens::list_by_creator(tx, team, user)?.is_empty() {
            return Ok(false);
        }
        members::remove(tx, &actor, team, user, choice.unwrap_or(TheirTokens::Keep))?;
        Ok::<_, Error>(true)
    });
    Ok(match done.await? {
        false => see_other(paths::TEAM_PERSON_REMOVE.of(user)),
        true if user == member.user.id => see_other_with(paths::INBOX, Notice::Left),
        true => see_other_with(paths::TEAM, Notice::PersonRemoved),
    })
}

pub async fn ask_to_demote(app: web::Data<App>, owner: Owner, htmx: Htmx, path: web::Path<UserId>) -> Answer {
    let (row, left) = load(&app, &owner, path.into_inner()).await?;
    if row.role() != Role::Admin {
        return Err(PageError::not_found());
    }
    let mut question =
        Confirmation::new(&owner, "team", "Make member", paths::TEAM_PERSON_ROLE.of(row.user_id));
    question.on_page("People", format!("Make {} a member?", row.name));
    let dialog = Demote { question: &question, person: row.name, is_self: false, left };
    question.ask_in(&dialog, htmx, &owner, StatusCode::OK)
}

/// Asks about the tokens of an admin who becomes a member, like [`remove`]. Making someone an admin requires the
/// password, because admins can perform actions that require it.
pub async fn set_role(
    app: web::Data<App>,
    owner: Owner,
    path: web::Path<UserId>,
    form: web::Form<Form>,
) -> Answer {
    let (user, choice) = (path.into_inner(), form.their_tokens()?);
    let role = MemberRole::parse(&form.role)
        .ok_or_else(|| PageError::bad_request("The field role must be member or admin."))?;
    let action = paths::TEAM_PERSON_ROLE.of(user);
    if role == MemberRole::Admin {
        let fields = vec![("role", form.role.clone())];
        let asked = Action { nav: "team", to: "make an admin", action: &action, fields, always: false };
        if let Some(page) = password_again::ask(&app, &owner, Some(&form.password), &asked).await? {
            return Ok(page);
        }
    }
    let (actor, team) = (owner.actor(), owner.team.id);
    let done = app.write(move |tx| {
        let row = members::find(tx, team, user)?.ok_or(Error::NotFound)?;
        let asks = choice.is_none() && role == MemberRole::Member && row.role() == Role::Admin;
        if asks && !tokens::list_by_creator(tx, team, user)?.is_empty() {
            return Ok(None);
        }
        members::set_role(tx, &actor, team, user, role, choice.unwrap_or(TheirTokens::Keep)).map(Some)
    });
    Ok(match done.await? {
        None => see_other(&action),
        Some(true) => see_other_with(paths::TEAM, Notice::RoleChanged),
        Some(false) => see_other_with(paths::TEAM, Notice::NothingChanged),
    })
}

async fn load(app: &App, viewer: &Viewer, user: UserId) -> Result<(Row, LeftBehind), PageError> {
    let (team, now) = (viewer.team.id, viewer.request.now);
    let found = app.read_activity(move |tx| {
        let row = members::find(tx, team, user)?.ok_or(Error::NotFound)?;
        let tokens = tokens::list_by_creator(tx, team, user)?;
        let invited = invitations::list_by_inviter(tx, team, user)?;
        let open = invited.iter().filter(|each| !each.is_expired(now)).count();
        Ok::<_, Error>((row, LeftBehind::new(tokens, open, now)))
    });
    Ok(found.await?)
}
