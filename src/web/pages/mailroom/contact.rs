//! One contact: looked at, changed, deleted.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::contacts::{Row, Said};
use super::question::{self, About};
use crate::app::App;
use crate::domain::Result;
use crate::domain::lists::Capped;
use crate::domain::mailroom::contacts::{self, Contact, ContactId, ContactState};
use crate::domain::mailroom::messages;
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::layout::Layout;
use crate::web::pages::notice::Notice;
use crate::web::pages::{Fields, FormErrors, html, see_other_with};
use crate::web::paths;
use crate::web::viewer::Viewer;

type Answer = std::result::Result<HttpResponse, PageError>;

#[derive(Template)]
#[template(path = "mailroom/contact.html")]
struct ContactPage {
    layout: Layout,
    row: Row,
    kept: Capped,
    said: Said,
    errors: FormErrors,
}

pub async fn show(app: web::Data<App>, member: Member, path: web::Path<ContactId>) -> Answer {
    let (row, kept) = look(&app, &member, path.into_inner()).await?;
    let (person, note) = (row.person.clone(), row.note.clone());
    let said = Said { name: person, note, state: row.state.to_string() };
    let layout = Layout::new(&member, "contacts");
    html(StatusCode::OK, &ContactPage { layout, row, kept, said, errors: FormErrors::default() })
}

/// A contact, and how many of their messages are kept.
async fn look(app: &App, viewer: &Viewer, id: ContactId) -> Result<(Row, Capped)> {
    let team = viewer.team.id;
    app.read(move |tx| {
        let filter = messages::Filter { contact: Some(id), ..messages::Filter::default() };
        Ok((Row::of(contacts::find(tx, team, id)?), messages::count(tx, team, &filter)?))
    })
    .await
}

pub async fn change(
    app: web::Data<App>,
    member: Member,
    path: web::Path<ContactId>,
    form: web::Form<Said>,
) -> Answer {
    let id = path.into_inner();
    match changed(&app, &member, id, &form).await {
        Ok(_) => Ok(see_other_with(paths::CONTACT.of(id), Notice::ContactChanged)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            let (row, kept) = look(&app, &member, id).await?;
            let layout = Layout::new(&member, "contacts");
            html(status, &ContactPage { layout, row, kept, said: form.into_inner(), errors })
        }
    }
}

async fn changed(app: &App, viewer: &Viewer, id: ContactId, said: &Said) -> Result<Contact> {
    let mut fields = Fields::default();
    let about = said.parse(&mut fields);
    let about = fields.done(about);
    let (actor, team) = (viewer.actor(), viewer.team.id);
    app.write(move |tx| {
        // Another team's contact does not exist, whatever is said of it.
        contacts::find(tx, team, id)?;
        contacts::change(tx, &actor, team, id, about?)
    })
    .await
}

/// What deleting it does, in numbers.
#[derive(Template)]
#[template(path = "mailroom/_delete_contact.html")]
struct Delete {
    row: Row,
    kept: Capped,
    team_id: String,
}

pub async fn ask_delete(
    app: web::Data<App>,
    member: Member,
    htmx: Htmx,
    path: web::Path<ContactId>,
) -> Answer {
    let id = path.into_inner();
    let (row, kept) = look(&app, &member, id).await?;
    let (back, from) = (paths::CONTACT.of(id), row.called.clone());
    let about = About { nav: "contacts", title: "Delete a contact".into(), back, from };
    let question = Delete { row, kept, team_id: member.team.id.to_string() };
    question::ask(htmx, &member, StatusCode::OK, about, &question)
}

pub async fn delete(app: web::Data<App>, member: Member, path: web::Path<ContactId>) -> Answer {
    let id = path.into_inner();
    let (actor, team) = (member.actor(), member.team.id);
    app.write(move |tx| contacts::delete(tx, &actor, team, id)).await?;
    Ok(see_other_with(paths::CONTACTS, Notice::ContactDeleted))
}
