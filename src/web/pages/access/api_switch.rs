//! API access: the owner turns it on and off, and admins see its state.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::access::api_switch::{self, Affected, SwitchOutcome};
use crate::domain::access::plans::Plan;
use crate::domain::people::roles::Role;
use crate::domain::people::sessions::Owner;
use crate::domain::people::teams::TeamId;
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::{self, Member};
use crate::web::pages::notice::Notice;
use crate::web::pages::password_again::{self, Action};
use crate::web::pages::{Confirmation, see_other_with};
use crate::web::paths;
use crate::web::viewer::Viewer;

/// The section of the Developer page.
#[derive(Template)]
#[template(path = "developer/_api_switch.html")]
pub struct ApiSwitch {
    team: TeamId,
    is_on: bool,
    can_change: bool,
    owner: Owner,
    plan: Plan,
    plan_has_api: bool,
}

impl ApiSwitch {
    pub fn of(viewer: &Viewer) -> Self {
        Self {
            team: viewer.team.id,
            is_on: viewer.team.api_enabled,
            can_change: viewer.role == Role::Owner,
            owner: viewer.owner.clone(),
            plan: viewer.team.plan,
            plan_has_api: viewer.request.plan_has_api(&viewer.team),
        }
    }
}

/// Shown in place of the tokens before the first one is created.
#[derive(Template)]
#[template(path = "developer/_off.html")]
struct WhenOff<'a> {
    switch: &'a ApiSwitch,
}

impl ApiSwitch {
    pub fn is_off(&self) -> bool {
        !self.is_on
    }

    pub fn when_off(&self) -> String {
        WhenOff { switch: self }.render().unwrap_or_default()
    }
}

/// The reason why all requests are refused; empty if they are not.
pub fn refusal_notice(viewer: &Viewer) -> String {
    let team = &viewer.team;
    match viewer.role {
        _ if !viewer.request.plan_has_api(team) => {
            format!(
                "The {} plan doesn't include the API. You can create tokens, but all requests are refused (403).",
                team.plan
            )
        }
        _ if team.api_enabled => String::new(),
        Role::Owner => "API access is off. You can create tokens, but all requests are refused (403) until you turn it on.".into(),
        _ => "API access is off. You can create tokens, but all requests are refused (403) until the owner turns it on.".into(),
    }
}

#[derive(Template)]
#[template(path = "developer/_api_off.html")]
struct ApiOff<'a> {
    question: &'a Confirmation,
    affected: Affected,
}

pub async fn ask_off(
    app: web::Data<App>,
    owner: guards::Owner,
    htmx: Htmx,
) -> Result<HttpResponse, PageError> {
    let (team, now) = (owner.team.id, owner.request.now);
    let affected = app.read_activity(move |tx| api_switch::affected(tx, team, now)).await?;
    let mut question = Confirmation::new(&owner, "developer", "Turn off", paths::API_SWITCH.to_string());
    question.on_page("Developer", "Turn off API access?".into());
    question.ask_in(&ApiOff { question: &question, affected }, htmx, &owner, StatusCode::OK)
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

/// Takes any member, so that attempts without permission are recorded.
pub async fn turn(
    app: web::Data<App>,
    member: Member,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let (state, to, notice) = match form.state {
        State::On => ("on", "turn on API access", Notice::ApiOn),
        State::Off => ("off", "turn off API access", Notice::ApiOff),
    };
    if member.role == Role::Owner {
        let fields = vec![("state", state.to_owned())];
        let asked = Action { nav: "developer", to, action: paths::API_SWITCH.0, fields, always: false };
        if let Some(page) = password_again::ask(&app, &member, Some(&form.password), &asked).await? {
            return Ok(page);
        }
    }
    let (actor, team, on) = (member.actor(), member.team.id, matches!(form.state, State::On));
    match app.write(move |tx| api_switch::turn(tx, &actor, team, on)).await? {
        SwitchOutcome::Done => Ok(see_other_with(paths::DEVELOPER, notice)),
        SwitchOutcome::Unchanged => Ok(see_other_with(paths::DEVELOPER, Notice::NothingChanged)),
        SwitchOutcome::Refused => Err(PageError::role_needed(Role::Owner)),
    }
}
