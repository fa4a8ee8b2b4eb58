//! The team key: a shared key that the owner and admins can reveal again.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::reveal::{self, Revealed};
use super::token_list::Row;
use crate::app::App;
use crate::domain::access::team_key::{self, Overview};
use crate::domain::lists::Capped;
use crate::domain::people::roles::Role;
use crate::domain::people::teams::TeamId;
use crate::domain::{Error, Timestamp};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::format::When;
use crate::web::pages::guards::{Admin, Owner};
use crate::web::pages::notice::Notice;
use crate::web::pages::password_again::{self, Action};
use crate::web::pages::{Confirmation, see_other_with};
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

/// The section of the Developer page.
#[derive(Template)]
#[template(path = "developer/_team_key.html")]
pub struct KeySection {
    team: TeamId,
    is_owner: bool,
    key: Option<Key>,
}

impl KeySection {
    pub fn of(viewer: &Viewer, overview: Option<Overview>) -> Self {
        Self {
            team: viewer.team.id,
            is_owner: viewer.role == Role::Owner,
            key: overview.map(|overview| Key::of(overview, viewer.request.now)),
        }
    }
}

/// The active key, without its secret.
struct Key {
    row: Row,
    calls: Capped,
    last_revealed: Option<(When, String)>,
}

impl Key {
    fn of(overview: Overview, now: Timestamp) -> Self {
        let last_revealed =
            overview.last_revealed.map(|record| (When(record.at), record.actor_label.unwrap_or_default()));
        Self { row: Row::of(overview.token, now), calls: overview.calls_in_24h, last_revealed }
    }
}

/// Shows the consequences before the key is regenerated or turned off.
#[derive(Template)]
#[template(path = "developer/_end_team_key.html")]
struct EndTeamKey<'a> {
    question: &'a Confirmation,
    key: Key,
    regenerate: bool,
}

pub async fn ask_regenerate(
    app: web::Data<App>,
    admin: Admin,
    htmx: Htmx,
) -> Result<HttpResponse, PageError> {
    question(&app, &admin, htmx, true).await
}

pub async fn ask_disable(app: web::Data<App>, owner: Owner, htmx: Htmx) -> Result<HttpResponse, PageError> {
    question(&app, &owner, htmx, false).await
}

async fn question(
    app: &App,
    viewer: &Viewer,
    htmx: Htmx,
    regenerate: bool,
) -> Result<HttpResponse, PageError> {
    let (team, now) = (viewer.team.id, viewer.request.now);
    let overview = app.read_activity(move |tx| team_key::overview(tx, team, now)).await?;
    let key = Key::of(overview.ok_or_else(PageError::not_found)?, now);
    let mut question = match regenerate {
        true => Confirmation::new(viewer, "developer", "Regenerate", paths::TEAM_KEY_REGENERATE.to_string()),
        false => Confirmation::new(viewer, "developer", "Turn off", paths::TEAM_KEY_DISABLE.to_string()),
    };
    question.on_page("Developer", format!("{} the team key?", question.title));
    question.ask_in(&EndTeamKey { question: &question, key, regenerate }, htmx, viewer, StatusCode::OK)
}

#[derive(serde::Deserialize)]
pub struct Form {
    #[serde(default)]
    password: Zeroizing<String>,
}

/// Actions that reveal the key's secret, after the password is confirmed.
#[derive(Clone, Copy)]
enum RevealAction {
    Enable,
    Show,
    Regenerate,
}

impl RevealAction {
    fn asked(self) -> Action<'static> {
        let (to, action) = match self {
            Self::Enable => ("turn on the team key", paths::TEAM_KEY.0),
            Self::Show => ("reveal the team key", paths::TEAM_KEY_SHOW.0),
            Self::Regenerate => ("regenerate the team key", paths::TEAM_KEY_REGENERATE.0),
        };
        Action { nav: "developer", to, action, fields: Vec::new(), always: false }
    }
}

pub async fn enable(
    app: web::Data<App>,
    site: web::Data<Site>,
    owner: Owner,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    reveal(&app, &site, &owner, &form, RevealAction::Enable).await
}

pub async fn show(
    app: web::Data<App>,
    site: web::Data<Site>,
    admin: Admin,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    reveal(&app, &site, &admin, &form, RevealAction::Show).await
}

pub async fn regenerate(
    app: web::Data<App>,
    site: web::Data<Site>,
    admin: Admin,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    reveal(&app, &site, &admin, &form, RevealAction::Regenerate).await
}

async fn reveal(
    app: &App,
    site: &Site,
    viewer: &Viewer,
    form: &Form,
    action: RevealAction,
) -> Result<HttpResponse, PageError> {
    if let Some(page) = password_again::ask(app, viewer, Some(&form.password), &action.asked()).await? {
        return Ok(page);
    }
    let (actor, team, sealer) = (viewer.actor(), viewer.team.id, app.sealer().clone());
    let revealed = app.write(move |tx| match action {
        RevealAction::Enable => team_key::enable(tx, &actor, team, &sealer),
        RevealAction::Show => team_key::reveal(tx, &actor, team, &sealer),
        RevealAction::Regenerate => team_key::regenerate(tx, &actor, team, &sealer),
    });
    let (token, plain) = revealed.await?;
    reveal::render(site, viewer, &token, &plain, Revealed::TeamKey)
}

pub async fn disable(app: web::Data<App>, owner: Owner) -> Result<HttpResponse, PageError> {
    let (actor, team) = (owner.actor(), owner.team.id);
    match app.write(move |tx| team_key::disable(tx, &actor, team)).await {
        Ok(()) => Ok(see_other_with(paths::DEVELOPER, Notice::TeamKeyOff)),
        Err(Error::NotFound) => Ok(see_other_with(paths::DEVELOPER, Notice::NothingChanged)),
        Err(error) => Err(error.into()),
    }
}
