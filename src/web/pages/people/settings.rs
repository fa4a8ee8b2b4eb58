//! Settings of the team: its name, its owner, and leaving it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use crate::app::App;
use crate::domain::people::roles::Role;
use crate::domain::people::teams::{self, TeamName};
use crate::web::pages::error::PageError;
use crate::web::pages::guards::{Member, Owner};
use crate::web::pages::layout::Layout;
use crate::web::pages::notice::Notice;
use crate::web::pages::{FormErrors, html, see_other_with};
use crate::web::paths;
use crate::web::viewer::Viewer;

#[derive(Template)]
#[template(path = "team/settings.html")]
struct SettingsPage<'a> {
    layout: Layout,
    team: &'a str,
    is_owner: bool,
    /// Of the viewer, for leaving.
    own_id: String,
    errors: FormErrors,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Form {
    team: String,
}

pub async fn show(member: Member) -> Result<HttpResponse, PageError> {
    render(&member, StatusCode::OK, &member.team.name, FormErrors::default())
}

fn render(
    viewer: &Viewer,
    status: StatusCode,
    team: &str,
    errors: FormErrors,
) -> Result<HttpResponse, PageError> {
    let page = SettingsPage {
        layout: Layout::new(viewer, "settings"),
        team,
        is_owner: viewer.role == Role::Owner,
        own_id: viewer.user.id.to_string(),
        errors,
    };
    html(status, &page)
}

pub async fn rename(
    app: web::Data<App>,
    owner: Owner,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let (actor, team) = (owner.actor(), owner.team.id);
    let renamed = match TeamName::parse(&form.team) {
        Ok(name) => app.write(move |tx| teams::rename(tx, &actor, team, &name)).await,
        Err(error) => Err(error.into()),
    };
    match renamed {
        Ok(true) => Ok(see_other_with(paths::SETTINGS, Notice::TeamRenamed)),
        Ok(false) => Ok(see_other_with(paths::SETTINGS, Notice::NothingChanged)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            render(&owner, status, &form.team, errors)
        }
    }
}
