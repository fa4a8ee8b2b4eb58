//! The switch that lets programs in: the owner turns it, admins see how it stands.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::developer;
use crate::app::App;
use crate::domain::access::api_switch::{self, Affected, Turned};
use crate::domain::access::plans::Plan;
use crate::domain::people::roles::Role;
use crate::domain::people::teams::TeamId;
use crate::domain::people::users::User;
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::{Member, Owner};
use crate::web::pages::notice::Notice;
use crate::web::pages::password_again::{self, Asked};
use crate::web::pages::see_other_with;
use crate::web::paths;
use crate::web::viewer::Viewer;

/// The section of the Developer page.
#[derive(Template)]
#[template(path = "developer/_api_switch.html")]
pub struct ApiSwitch {
    team: TeamId,
    is_on: bool,
    may_turn: bool,
    owner: User,
    plan: Plan,
    plan_has_api: bool,
}

impl ApiSwitch {
    pub fn of(viewer: &Viewer, owner: User) -> Self {
        Self {
            team: viewer.team.id,
            is_on: viewer.team.api_enabled,
            may_turn: viewer.role == Role::Owner,
            owner,
            plan: viewer.team.plan,
            plan_has_api: viewer.request.plan_has_api(&viewer.team),
        }
    }
}

/// Why calls are refused whatever token they bring; empty when they are not.
pub fn closed(viewer: &Viewer) -> String {
    let team = &viewer.team;
    match viewer.role {
        _ if !viewer.request.plan_has_api(team) => {
            format!(
                "The plan {} has no API. A token can be made, but each call with it is refused (403).",
                team.plan
            )
        }
        _ if team.api_enabled => String::new(),
        Role::Owner => "API access is off. A token can be made, but each call with it is refused (403) until you switch it on.".into(),
        _ => "API access is off. A token can be made, but each call with it is refused (403) until the owner switches it on.".into(),
    }
}

#[derive(Template)]
#[template(path = "developer/_api_off.html")]
struct ApiOff {
    team: TeamId,
    affected: Affected,
}

/// What switching off would stop.
pub async fn ask_off(app: web::Data<App>, owner: Owner, htmx: Htmx) -> Result<HttpResponse, PageError> {
    let (team, now) = (owner.team.id, owner.request.now);
    let affected = app.read_activity(move |tx| api_switch::affected(tx, team, now)).await?;
    developer::ask(htmx, &owner, StatusCode::OK, "Switch the API off", &ApiOff { team, affected })
}

#[derive(serde::Deserialize)]
pub struct Form {
    state: State,
    #[serde(default)]
    password: Zeroizing<String>,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    On,
    Off,
}

/// Open to every member, so that the attempt of one who may not is recorded.
pub async fn turn(
    app: web::Data<App>,
    member: Member,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let (state, to, notice) = match form.state {
        State::On => ("on", "switch the API on", Notice::ApiOn),
        State::Off => ("off", "switch the API off", Notice::ApiOff),
    };
    if member.role == Role::Owner {
        let fields = vec![("state", state.to_owned())];
        let asked = Asked { nav: "developer", to, action: paths::API_SWITCH.0, fields, always: false };
        if let Some(page) = password_again::ask(&app, &member, Some(&form.password), &asked).await? {
            return Ok(page);
        }
    }
    let (actor, team, on) = (member.actor(), member.team.id, matches!(form.state, State::On));
    match app.write(move |tx| api_switch::turn(tx, &actor, team, on)).await? {
        Turned::Done => Ok(see_other_with(paths::DEVELOPER, notice)),
        Turned::AlreadySo => Ok(see_other_with(paths::DEVELOPER, Notice::NothingChanged)),
        Turned::Refused => Err(PageError::role_needed(Role::Owner)),
    }
}
