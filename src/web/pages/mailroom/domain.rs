//! One domain: its records, asking the DNS about them, its catch-all, its removal.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::domains::Row;
use super::question::{self, About};
use crate::app::App;
use crate::domain::lists::{Capped, Window};
use crate::domain::mailroom::aliases::{self, Alias, AliasId};
use crate::domain::mailroom::mail_domains::{self, Domain, DomainId, Record, RecordState};
use crate::domain::{Error, FieldError, Result};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::{Admin, Member};
use crate::web::pages::layout::Layout;
use crate::web::pages::notice::Notice;
use crate::web::pages::when::When;
use crate::web::pages::{FormErrors, html, see_other_with};
use crate::web::paths;
use crate::web::viewer::Viewer;

type Answer = std::result::Result<HttpResponse, PageError>;

/// Aliases a catch-all can be chosen of: a menu has to end somewhere.
const CHOICES: i64 = 100;

/// A record to publish, and what was found in its place.
struct RecordRow {
    record: Record,
    checked: Option<When>,
    /// Of its cells that can be copied.
    key: &'static str,
}

impl RecordRow {
    fn of(record: Record) -> Self {
        let key = if record.kind == "TXT" { "txt" } else { "mx" };
        Self { checked: record.checked_at.map(When), record, key }
    }

    /// Tone and text of the state's badge.
    fn badge(&self) -> (&'static str, &'static str) {
        match self.record.state {
            RecordState::Unchecked => ("off", "Not checked yet"),
            RecordState::Ok => ("success", "Found"),
            RecordState::Missing => ("danger", "Missing"),
            RecordState::Wrong => ("warning", "Another value"),
            RecordState::Unknown => ("warning", "No answer"),
        }
    }

    /// Whether what was found has to be shown to be understood.
    fn tells_what(&self) -> bool {
        matches!(self.record.state, RecordState::Wrong | RecordState::Unknown)
    }
}

#[derive(Template)]
#[template(path = "mailroom/domain.html")]
struct DomainPage {
    layout: Layout,
    row: Row,
    records: Vec<RecordRow>,
    /// Whether other mail servers can find this one.
    is_public: bool,
    addresses: Capped,
    /// What a catch-all can be, by id.
    choices: Vec<(String, String)>,
    are_all: bool,
    /// The id of the catch-all; empty without one.
    catcher: String,
    /// Its address.
    catch_all: String,
    errors: FormErrors,
}

pub async fn show(app: web::Data<App>, member: Member, path: web::Path<DomainId>) -> Answer {
    draw(&app, &member, path.into_inner(), StatusCode::OK, FormErrors::default()).await
}

/// A domain with what a catch-all can be, what it is, and how many addresses there are.
struct Known {
    domain: Domain,
    newest: Vec<Alias>,
    are_all: bool,
    catch_all: Option<Alias>,
    addresses: Capped,
}

async fn look(app: &App, viewer: &Viewer, id: DomainId) -> Result<Known> {
    let team = viewer.team.id;
    app.read(move |tx| {
        let domain = mail_domains::find(tx, team, id)?;
        let found = aliases::list(tx, team, &aliases::Filter::default(), Window::first(CHOICES))?;
        let catch_all = aliases::find_all(tx, team, domain.catch_all_id.as_slice())?;
        Ok(Known {
            addresses: aliases::count(tx, team, &of_domain(id))?,
            domain,
            newest: found.rows,
            are_all: found.next.is_none(),
            catch_all: catch_all.into_iter().find(|alias| alias.deleted_at.is_none()),
        })
    })
    .await
}

fn of_domain(id: DomainId) -> aliases::Filter {
    aliases::Filter { domain: Some(Some(id)), ..aliases::Filter::default() }
}

async fn draw(app: &App, viewer: &Viewer, id: DomainId, status: StatusCode, errors: FormErrors) -> Answer {
    let Known { domain, mut newest, are_all, catch_all, addresses } = look(app, viewer, id).await?;
    let chosen = catch_all.as_ref().map(|alias| alias.id);
    newest.retain(|alias| Some(alias.id) != chosen);
    let choices = catch_all.iter().chain(&newest);
    let host = app.mail_host();
    let page = DomainPage {
        layout: Layout::new(viewer, "domains"),
        records: domain.records(&host).into_iter().map(RecordRow::of).collect(),
        is_public: mail_domains::is_public(&host),
        row: Row::of(domain),
        addresses,
        choices: choices.map(|alias| (alias.id.to_string(), alias.address())).collect(),
        are_all,
        catcher: chosen.map(|id| id.to_string()).unwrap_or_default(),
        catch_all: catch_all.map(|alias| alias.address()).unwrap_or_default(),
        errors,
    };
    html(status, &page)
}

/// Asks the DNS, now.
pub async fn check(app: web::Data<App>, admin: Admin, path: web::Path<DomainId>) -> Answer {
    let id = path.into_inner();
    app.check_domain(admin.actor(), admin.team.id, id).await?;
    Ok(see_other_with(paths::DOMAIN.of(id), Notice::DomainChecked))
}

#[derive(serde::Deserialize)]
pub struct CatchAll {
    #[serde(default)]
    alias: String,
}

pub async fn set_catch_all(
    app: web::Data<App>,
    admin: Admin,
    path: web::Path<DomainId>,
    form: web::Form<CatchAll>,
) -> Answer {
    let id = path.into_inner();
    match chosen(&app, &admin, id, &form.alias).await {
        Ok(_) => Ok(see_other_with(paths::DOMAIN.of(id), Notice::CatchAllChanged)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            draw(&app, &admin, id, status, errors).await
        }
    }
}

async fn chosen(app: &App, viewer: &Viewer, id: DomainId, alias: &str) -> Result<Domain> {
    let gone = || FieldError::new("alias", "There is no such address in the team any more. Choose another.");
    let alias = match alias {
        "" => Ok(None),
        alias => AliasId::parse(alias).map(Some).ok_or_else(gone),
    };
    let (actor, team) = (viewer.actor(), viewer.team.id);
    app.write(move |tx| {
        // Another team's domain does not exist, whatever it should catch.
        mail_domains::find(tx, team, id)?;
        let changed = mail_domains::set_catch_all(tx, &actor, team, id, alias?);
        changed.map_err(|error| if matches!(error, Error::NotFound) { gone().into() } else { error })
    })
    .await
}

/// What removing it does, in numbers.
#[derive(Template)]
#[template(path = "mailroom/_remove_domain.html")]
struct Remove {
    row: Row,
    addresses: Capped,
    team_id: String,
}

pub async fn ask_remove(app: web::Data<App>, admin: Admin, htmx: Htmx, path: web::Path<DomainId>) -> Answer {
    let id = path.into_inner();
    let team = admin.team.id;
    let read = app.read(move |tx| -> Result<_> {
        Ok((mail_domains::find(tx, team, id)?, aliases::count(tx, team, &of_domain(id))?))
    });
    let (domain, addresses) = read.await?;
    let (back, from) = (paths::DOMAIN.of(id), domain.name.clone());
    let about = About { nav: "domains", title: "Remove a domain".into(), back, from };
    let question = Remove { row: Row::of(domain), addresses, team_id: team.to_string() };
    question::ask(htmx, &admin, StatusCode::OK, about, &question)
}

pub async fn remove(app: web::Data<App>, admin: Admin, path: web::Path<DomainId>) -> Answer {
    let id = path.into_inner();
    let (actor, team) = (admin.actor(), admin.team.id);
    app.write(move |tx| mail_domains::remove(tx, &actor, team, id)).await?;
    Ok(see_other_with(paths::DOMAINS, Notice::DomainRemoved))
}
