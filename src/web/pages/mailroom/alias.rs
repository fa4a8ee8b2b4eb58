//! One alias: looked at, noted about, switched, deleted.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::aliases::Row;
use super::lines;
use super::question::{self, About};
use crate::app::App;
use crate::domain::Result;
use crate::domain::lists::Capped;
use crate::domain::mailroom::aliases::{self, AliasId};
use crate::domain::mailroom::{mail_domains, messages};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::layout::Layout;
use crate::web::pages::notice::Notice;
use crate::web::pages::{FormErrors, html, see_other_with};
use crate::web::paths;
use crate::web::viewer::Viewer;

type Answer = std::result::Result<HttpResponse, PageError>;

#[derive(Template)]
#[template(path = "mailroom/alias.html")]
struct AliasPage {
    layout: Layout,
    row: Row,
    kept: Capped,
    /// The domains whose catch-all it is.
    catches: Vec<String>,
    noted: String,
    errors: FormErrors,
}

/// What was sent about an alias and refused; what was not sent is shown as it stands.
#[derive(Default)]
struct Refused {
    note: Option<String>,
    errors: FormErrors,
}

/// An alias, how many of its messages are kept, and whose catch-all it is.
type Known = (Row, Capped, Vec<String>);

pub async fn show(app: web::Data<App>, member: Member, path: web::Path<AliasId>) -> Answer {
    draw(&app, &member, path.into_inner(), StatusCode::OK, Refused::default()).await
}

async fn draw(app: &App, viewer: &Viewer, id: AliasId, status: StatusCode, refused: Refused) -> Answer {
    let (row, kept, catches) = look(app, viewer, id).await?;
    let Refused { note, errors } = refused;
    let noted = note.unwrap_or_else(|| row.note.clone());
    html(status, &AliasPage { layout: Layout::new(viewer, "aliases"), row, kept, catches, noted, errors })
}

async fn look(app: &App, viewer: &Viewer, id: AliasId) -> Result<Known> {
    let team = viewer.team.id;
    app.read(move |tx| {
        let (alias, all) = (aliases::find(tx, team, id)?, mail_domains::list(tx, team)?);
        let filter = messages::Filter { alias: Some(id), ..messages::Filter::default() };
        let kept = messages::count(tx, team, &filter)?;
        let catches = all.iter().filter(|domain| domain.catch_all_id == Some(id));
        let catches = catches.map(|domain| domain.name.clone()).collect();
        Ok((Row::of(alias, &all), kept, catches))
    })
    .await
}

#[derive(serde::Deserialize)]
pub struct Note {
    #[serde(default)]
    note: String,
}

pub async fn note(
    app: web::Data<App>,
    member: Member,
    path: web::Path<AliasId>,
    form: web::Form<Note>,
) -> Answer {
    let id = path.into_inner();
    let (actor, team) = (member.actor(), member.team.id);
    let parsed = aliases::parse_note(&lines(&form.note));
    let noted = app.write(move |tx| -> Result<_> {
        // Another team's alias does not exist, whatever is said of it.
        let before = aliases::find(tx, team, id)?;
        aliases::change(tx, &actor, team, id, parsed?.as_deref(), before.enabled)
    });
    match noted.await {
        Ok(_) => Ok(see_other_with(paths::ALIAS.of(id), Notice::AliasNoted)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            let refused = Refused { note: Some(form.into_inner().note), errors };
            draw(&app, &member, id, status, refused).await
        }
    }
}

#[derive(serde::Deserialize)]
pub struct Switch {
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    On,
    Off,
}

/// A row of the list, for htmx to put in place of itself.
#[derive(Template)]
#[template(path = "mailroom/_alias_switched.html")]
struct Switched {
    row: Row,
    team_id: String,
}

pub async fn switch(
    app: web::Data<App>,
    member: Member,
    Htmx(by_htmx): Htmx,
    path: web::Path<AliasId>,
    form: web::Form<Switch>,
) -> Answer {
    let id = path.into_inner();
    let (actor, team, on) = (member.actor(), member.team.id, form.state == State::On);
    let switched = app.write(move |tx| -> Result<_> {
        let before = aliases::find(tx, team, id)?;
        let after = aliases::change(tx, &actor, team, id, before.note.as_deref(), on)?;
        Ok(Row::of(after, &mail_domains::list(tx, team)?))
    });
    match switched.await {
        Ok(row) if by_htmx => html(StatusCode::OK, &Switched { row, team_id: team.to_string() }),
        Ok(_) if on => Ok(see_other_with(paths::ALIAS.of(id), Notice::AliasOn)),
        Ok(_) => Ok(see_other_with(paths::ALIAS.of(id), Notice::AliasOff)),
        Err(error) if by_htmx => Err(error.into()),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            let refused = Refused { errors, ..Refused::default() };
            draw(&app, &member, id, status, refused).await
        }
    }
}

/// What deleting it does, in numbers.
#[derive(Template)]
#[template(path = "mailroom/_delete_alias.html")]
struct Delete {
    row: Row,
    kept: Capped,
    catches: Vec<String>,
    team_id: String,
}

pub async fn ask_delete(app: web::Data<App>, member: Member, htmx: Htmx, path: web::Path<AliasId>) -> Answer {
    let id = path.into_inner();
    let (row, kept, catches) = look(&app, &member, id).await?;
    let (back, from) = (paths::ALIAS.of(id), row.address.clone());
    let about = About { nav: "aliases", title: "Delete an alias".into(), back, from };
    let question = Delete { row, kept, catches, team_id: member.team.id.to_string() };
    question::ask(htmx, &member, StatusCode::OK, about, &question)
}

pub async fn delete(app: web::Data<App>, member: Member, path: web::Path<AliasId>) -> Answer {
    let id = path.into_inner();
    let (actor, team) = (member.actor(), member.team.id);
    app.write(move |tx| aliases::delete(tx, &actor, team, id)).await?;
    Ok(see_other_with(paths::ALIASES, Notice::AliasDeleted))
}
