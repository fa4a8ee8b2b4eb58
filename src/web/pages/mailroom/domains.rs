//! The list of domains, and how one is added.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::domain;
use crate::app::App;
use crate::domain::Result;
use crate::domain::mailroom::address::DomainName;
use crate::domain::mailroom::mail_domains::{self, Domain};
use crate::web::pages::error::PageError;
use crate::web::pages::guards::{Admin, Member};
use crate::web::pages::layout::Layout;
use crate::web::pages::notice::Notice;
use crate::web::pages::when::When;
use crate::web::pages::{FormErrors, html, see_other_with};
use crate::web::paths;
use crate::web::route::{PageRoute, page};
use crate::web::viewer::Viewer;

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::DOMAINS).get(list).post(add),
        page(paths::DOMAIN).get(domain::show),
        page(paths::DOMAIN_CHECK).post(domain::check),
        page(paths::DOMAIN_CATCH_ALL).post(domain::set_catch_all),
        page(paths::DOMAIN_REMOVE).get(domain::ask_remove).post(domain::remove),
    ]
}

/// A domain as people see it.
pub struct Row {
    pub id: String,
    pub domain: String,
    pub verified: Option<When>,
    pub suspended: Option<When>,
    pub checked: Option<When>,
    /// When it will be suspended, unless the proof is back.
    pub due: Option<When>,
    pub is_active: bool,
    /// The proof is there, but so is that of another team, whose domain it is.
    pub is_held: bool,
    pub made: When,
    pub maker: String,
}

impl Row {
    pub fn of(domain: Domain) -> Self {
        Self {
            id: domain.id.to_string(),
            verified: domain.verified_at.map(When),
            suspended: domain.suspended_at.map(When),
            checked: domain.checked_at.map(When),
            due: domain.suspension_due().map(When),
            is_active: domain.is_active(),
            is_held: domain.is_held_by_another(),
            made: When(domain.created_at),
            domain: domain.name,
            maker: domain.created_by_label,
        }
    }

    /// Tone and text of the state's badge.
    pub fn badge(&self) -> (&'static str, &'static str) {
        match self {
            Self { suspended: Some(_), .. } => ("danger", "Suspended"),
            Self { due: Some(_), .. } => ("warning", "Proof is gone"),
            Self { is_active: true, .. } => ("success", "Verified"),
            _ => ("off", "Unverified"),
        }
    }
}

#[derive(Template)]
#[template(path = "mailroom/domains.html")]
struct DomainsPage {
    layout: Layout,
    shared: String,
    rows: Vec<Row>,
    form: Form,
    errors: FormErrors,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Form {
    name: String,
}

pub async fn list(app: web::Data<App>, member: Member) -> std::result::Result<HttpResponse, PageError> {
    draw(&app, &member, StatusCode::OK, Form::default(), FormErrors::default()).await
}

async fn draw(
    app: &App,
    viewer: &Viewer,
    status: StatusCode,
    form: Form,
    errors: FormErrors,
) -> std::result::Result<HttpResponse, PageError> {
    let team = viewer.team.id;
    let rows = app.read(move |tx| mail_domains::list(tx, team)).await?;
    let page = DomainsPage {
        layout: Layout::new(viewer, "domains"),
        shared: app.mail_settings().domain.clone(),
        rows: rows.into_iter().map(Row::of).collect(),
        form,
        errors,
    };
    html(status, &page)
}

pub async fn add(
    app: web::Data<App>,
    admin: Admin,
    form: web::Form<Form>,
) -> std::result::Result<HttpResponse, PageError> {
    match added(&app, &admin, &form.name).await {
        Ok(domain) => Ok(see_other_with(paths::DOMAIN.of(domain.id), Notice::DomainAdded)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            draw(&app, &admin, status, form.into_inner(), errors).await
        }
    }
}

async fn added(app: &App, viewer: &Viewer, name: &str) -> Result<Domain> {
    let name = DomainName::parse(name)?;
    let (actor, team, shared) = (viewer.actor(), viewer.team.id, app.mail_settings().domain.clone());
    app.write(move |tx| mail_domains::add(tx, &actor, team, &shared, &name)).await
}
