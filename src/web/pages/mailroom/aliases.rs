//! The list of aliases, and how one is made.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::alias;
use super::lines;
use crate::app::App;
use crate::domain::Result;
use crate::domain::access::usage::Grouped;
use crate::domain::lists::{Capped, Page, Window};
use crate::domain::mailroom::address::{LocalPart, POSTMASTER};
use crate::domain::mailroom::aliases::{self, Alias, AliasId, Filter, NewAlias};
use crate::domain::mailroom::mail_domains::{self, Domain, DomainId};
use crate::domain::search::Search;
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::layout::Layout;
use crate::web::pages::notice::Notice;
use crate::web::pages::when::When;
use crate::web::pages::{Fields, FormErrors, html, part_at, see_other_with};
use crate::web::paths;
use crate::web::route::{PageRoute, page};
use crate::web::viewer::Viewer;

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::ALIASES).get(list).post(create),
        page(paths::ALIAS).get(alias::show),
        page(paths::ALIAS_NOTE).post(alias::note),
        page(paths::ALIAS_SWITCH).post(alias::switch),
        page(paths::ALIAS_DELETE).get(alias::ask_delete).post(alias::delete),
    ]
}

const PAGE: i64 = 50;
/// Stands for the domain that has no id.
const SHARED: &str = "shared";

/// An alias as people see it.
pub struct Row {
    pub id: String,
    pub address: String,
    pub domain: String,
    pub note: String,
    pub enabled: bool,
    pub received: Grouped,
    pub denied: Grouped,
    pub last: Option<When>,
    pub made: When,
    pub maker: String,
    /// Always there: can neither be switched off nor deleted.
    pub is_postmaster: bool,
    /// How its domain is that does not receive; empty when nothing does.
    pub trouble: &'static str,
}

impl Row {
    pub fn of(alias: Alias, domains: &[Domain]) -> Self {
        let domain = domains.iter().find(|domain| Some(domain.id) == alias.domain_id);
        let trouble = match domain.map(|domain| (domain.is_active(), domain.suspended_at)) {
            None | Some((true, _)) => "",
            Some((false, None)) => "not verified",
            Some((false, Some(_))) => "suspended",
        };
        Self {
            id: alias.id.to_string(),
            address: alias.address(),
            is_postmaster: alias.local_key == POSTMASTER,
            domain: alias.domain_name,
            note: alias.note.unwrap_or_default(),
            enabled: alias.enabled,
            received: Grouped(alias.received),
            denied: Grouped(alias.denied),
            last: alias.last_received_at.map(When),
            made: When(alias.created_at),
            maker: alias.created_by_label,
            trouble,
        }
    }
}

/// The parameters as they were sent; what is empty does not narrow.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Query {
    q: String,
    state: String,
    domain: String,
    before: String,
}

impl Query {
    /// # Errors
    /// `NotFound` for a menu's value that no menu holds, a sentence for too long a search.
    fn parse(&self) -> std::result::Result<(Filter, Option<AliasId>), PageError> {
        let enabled = match self.state.as_str() {
            "" => None,
            "on" => Some(true),
            "off" => Some(false),
            _ => return Err(PageError::not_found()),
        };
        let domain = match self.domain.as_str() {
            "" => None,
            SHARED => Some(None),
            id => Some(Some(DomainId::parse(id).ok_or_else(PageError::not_found)?)),
        };
        let before = match self.before.as_str() {
            "" => None,
            id => Some(AliasId::parse(id).ok_or_else(PageError::not_found)?),
        };
        Ok((Filter { domain, enabled, text: Search::parse(&self.q)?.key() }, before))
    }

    fn address(&self, before: &str) -> String {
        let given = [("q", &*self.q), ("state", &self.state), ("domain", &self.domain), ("before", before)];
        paths::ALIASES.query(&given)
    }

    fn is_filtered(&self) -> bool {
        self.address("") != paths::ALIASES.0
    }
}

/// What is found, as htmx swaps it. It refreshes itself.
#[derive(Template)]
#[template(path = "mailroom/_alias_list.html")]
struct List {
    rows: Vec<Row>,
    count: Capped,
    team_id: String,
    is_filtered: bool,
    address: String,
    older: String,
    /// The address of the first page; empty on it.
    newest: String,
}

impl List {
    fn of(
        viewer: &Viewer,
        query: &Query,
        found: Page<Alias, AliasId>,
        count: Capped,
        all: &[Domain],
    ) -> Self {
        Self {
            rows: found.rows.into_iter().map(|alias| Row::of(alias, all)).collect(),
            count,
            team_id: viewer.team.id.to_string(),
            is_filtered: query.is_filtered(),
            address: query.address(&query.before),
            older: found.next.map(|id| query.address(&id.to_string())).unwrap_or_default(),
            newest: if query.before.is_empty() { String::new() } else { query.address("") },
        }
    }

    /// Nothing on this page, on others, or under other filters.
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && !self.is_filtered && self.newest.is_empty()
    }
}

/// One of a menu.
struct Choice {
    value: String,
    text: String,
}

fn choice(value: impl ToString, text: impl ToString) -> Choice {
    Choice { value: value.to_string(), text: text.to_string() }
}

/// The form of a new alias.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Form {
    #[serde(rename = "localPart")]
    local: String,
    domain: String,
    note: String,
}

impl Form {
    fn parse(&self) -> Result<NewAlias> {
        let mut fields = Fields::default();
        let local = Some(self.local.trim()).filter(|local| !local.is_empty());
        let local = fields.take(local.map(LocalPart::parse).transpose());
        let note = fields.take(aliases::parse_note(&lines(&self.note)));
        let (local, note) = fields.done(local.zip(note))?;
        Ok(NewAlias { local, domain: Some(self.domain.clone()), note })
    }
}

#[derive(Template)]
#[template(path = "mailroom/aliases.html")]
struct AliasesPage {
    layout: Layout,
    shared: String,
    /// Domains an alias can be made on, by name.
    made_on: Vec<Choice>,
    /// Domains to narrow the list by.
    narrow_by: Vec<Choice>,
    query: Query,
    list: List,
    form: Form,
    errors: FormErrors,
}

pub async fn list(
    app: web::Data<App>,
    member: Member,
    Htmx(by_htmx): Htmx,
    query: web::Query<Query>,
) -> std::result::Result<HttpResponse, PageError> {
    if by_htmx {
        let (list, _) = look(&app, &member, &query).await?;
        return part_at(&list.address, &list);
    }
    let sent = (Form::default(), FormErrors::default());
    draw(&app, &member, StatusCode::OK, query.into_inner(), sent).await
}

async fn look(
    app: &App,
    viewer: &Viewer,
    query: &Query,
) -> std::result::Result<(List, Vec<Domain>), PageError> {
    let ((filter, before), team) = (query.parse()?, viewer.team.id);
    let read = app.read(move |tx| -> Result<_> {
        let found = aliases::list(tx, team, &filter, Window::below(before, PAGE))?;
        Ok((found, aliases::count(tx, team, &filter)?, mail_domains::list(tx, team)?))
    });
    let (found, count, domains) = read.await?;
    Ok((List::of(viewer, query, found, count, &domains), domains))
}

async fn draw(
    app: &App,
    viewer: &Viewer,
    status: StatusCode,
    query: Query,
    (form, errors): (Form, FormErrors),
) -> std::result::Result<HttpResponse, PageError> {
    let (list, domains) = look(app, viewer, &query).await?;
    let shared = &app.mail_settings().domain;
    let active = domains.iter().filter(|domain| domain.is_active());
    let own = active.map(|domain| choice(&domain.name, format!("@{}", domain.name)));
    let every = domains.iter().map(|domain| choice(domain.id, &domain.name));
    let page = AliasesPage {
        layout: Layout::new(viewer, "aliases"),
        shared: shared.clone(),
        made_on: [choice(shared, format!("@{shared}"))].into_iter().chain(own).collect(),
        narrow_by: [choice("", "All"), choice(SHARED, shared)].into_iter().chain(every).collect(),
        query,
        list,
        form,
        errors,
    };
    html(status, &page)
}

/// Leads to the new alias, whose address is there to be copied.
pub async fn create(
    app: web::Data<App>,
    member: Member,
    form: web::Form<Form>,
) -> std::result::Result<HttpResponse, PageError> {
    match made(&app, &member, &form).await {
        Ok(alias) => Ok(see_other_with(paths::ALIAS.of(alias.id), Notice::AliasCreated)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            let query = Query::default();
            draw(&app, &member, status, query, (form.into_inner(), errors)).await
        }
    }
}

async fn made(app: &App, viewer: &Viewer, form: &Form) -> Result<Alias> {
    let (new, actor, team, shared) =
        (form.parse()?, viewer.actor(), viewer.team.id, app.mail_settings().domain.clone());
    app.write(move |tx| aliases::create(tx, &actor, team, &shared, &new)).await
}
