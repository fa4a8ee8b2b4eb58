//! The API reference, rendered from the description. Only the guide is written by hand.

mod description;
mod examples;
mod in_process;
mod schema;
pub(crate) mod try_it;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::api_switch;
use crate::app::App;
use crate::domain::access::plans::Plan;
use crate::domain::access::scopes::Scope;
use crate::domain::access::usage::Grouped;
use crate::domain::people::roles::Role;
use crate::domain::search::Search;
use crate::web::api::codes::{self, Code};
use crate::web::api::openapi::about;
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::layout::Layout;
use crate::web::pages::{html, part_at, see_other};
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;
use description::{GROUPS, Group, Operation};
use examples::{Example, Here, Request};

/// A cookie.
const LANGUAGE: &str = "docs-language";
const LANGUAGES: [(&str, &str); 4] =
    [("curl", "curl"), ("javascript", "JavaScript"), ("python", "Python"), ("all", "All three")];

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
}

#[derive(Template)]
#[template(path = "docs/page.html")]
struct DocsPage {
    layout: Layout,
    language: &'static str,
    closed: String,
    reference: Reference,
}

/// Everything below the search: all, or the results.
#[derive(Template)]
#[template(path = "docs/_reference.html")]
struct Reference {
    here: Here,
    asked: String,
    groups: Vec<Found>,
    team: String,
    plan: Plan,
    limit: Grouped,
    plans: Vec<(Plan, Grouped)>,
    may_try: bool,
}

/// The operations of a group that match the search.
struct Found {
    group: &'static Group,
    operations: Vec<&'static Operation>,
}

impl Reference {
    fn of(app: &App, site: &Site, viewer: &Viewer, asked: &str) -> Self {
        let limit = |plan| Grouped(app.gate().limit(plan).into());
        Self {
            here: here(app, site),
            asked: asked.to_owned(),
            groups: GROUPS.iter().map(|group| Found::of(group, asked)).filter(Found::is_some).collect(),
            team: viewer.team.name.clone(),
            plan: viewer.team.plan,
            limit: limit(viewer.team.plan),
            plans: Plan::ALL.iter().map(|plan| (*plan, limit(*plan))).collect(),
            may_try: viewer.role >= Role::Admin,
        }
    }

    fn examples(&self, operation: &Operation) -> Vec<Example> {
        match operation.takes_token() {
            true => Request::of(operation).in_each_language(&self.here),
            false => Vec::new(),
        }
    }

    fn on_the_dashboard(&self, operation: &Operation) -> String {
        Request::of(operation).on_the_dashboard()
    }

    /// A request of a chapter.
    fn get(&self, path: &str) -> Vec<Example> {
        Request::get(path).in_each_language(&self.here)
    }

    fn first_answer(&self) -> String {
        let all = GROUPS.iter().flat_map(|group| &group.operations);
        let me = all.filter(|it| it.path == "/api/v1/me").map(|it| self.here.localize(&it.success.example));
        me.collect()
    }

    fn promises(&self) -> [(&'static str, &'static [&'static str]); 3] {
        let about::Versioning { may_change, stays, end, .. } = about::VERSIONING;
        [("Can change at any time", may_change), ("Stays the same", stays), ("How a version ends", end)]
    }

    fn codes(&self) -> &'static [&'static Code] {
        codes::ALL
    }

    /// Each scope with the operations that need it.
    fn scopes(&self) -> Vec<(Scope, Vec<&'static Operation>)> {
        let all = || GROUPS.iter().flat_map(|group| &group.operations);
        let needing = |scope: Scope| all().filter(|it| it.scope() == scope.as_str()).collect();
        Scope::ALL.into_iter().map(|scope| (scope, needing(scope))).collect()
    }

    /// For screen readers too.
    fn count(&self) -> String {
        match self.groups.iter().map(|found| found.operations.len()).sum() {
            _ if self.asked.is_empty() => String::new(),
            0 => "No results".into(),
            1 => "1 result".into(),
            more => format!("{more} results"),
        }
    }
}

impl Found {
    fn of(group: &'static Group, words: &str) -> Self {
        Self { group, operations: group.operations.iter().filter(|it| it.matches(words)).collect() }
    }

    fn is_some(&self) -> bool {
        !self.operations.is_empty()
    }
}

fn here(app: &App, site: &Site) -> Here {
    Here {
        url: site.url.as_str().to_owned(),
        mail_domain: app.config().mail.domain.to_string(),
        prefix: app.sealer().prefix.as_str().to_owned(),
    }
}

/// For every member: those who cannot create tokens may still write the app.
pub async fn show(
    app: web::Data<App>,
    site: web::Data<Site>,
    member: Member,
    Htmx(by_htmx): Htmx,
    request: HttpRequest,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let reference = Reference::of(&app, &site, &member, Search::parse(&asked.q)?.as_str());
    if by_htmx {
        return part_at(&paths::DOCS.query(&[("q", &reference.asked)]), &reference);
    }
    let page = DocsPage {
        layout: Layout::new(&member, "docs"),
        language: request.cookie(LANGUAGE).and_then(|kept| language(kept.value())).unwrap_or("curl"),
        closed: api_switch::refusal_notice(&member),
        reference,
    };
    html(StatusCode::OK, &page)
}

fn language(name: &str) -> Option<&'static str> {
    LANGUAGES.iter().find(|(known, _)| *known == name).map(|(known, _)| *known)
}

#[derive(serde::Deserialize)]
pub struct Preference {
    language: String,
}

pub async fn keep_language(
    site: web::Data<Site>,
    _: Member,
    Htmx(by_htmx): Htmx,
    form: web::Form<Preference>,
) -> Result<HttpResponse, PageError> {
    let language =
        language(&form.language).ok_or_else(|| PageError::bad_request("There is no such language."))?;
    let kept = Cookie::build(LANGUAGE, language)
        .path(paths::DOCS.0)
        .http_only(true)
        .secure(site.url.is_https())
        .same_site(SameSite::Lax)
        .max_age(Duration::days(365));
    let mut answer = if by_htmx { HttpResponse::NoContent().finish() } else { see_other(paths::DOCS) };
    answer.add_cookie(&kept.finish()).map_err(PageError::fault)?;
    Ok(answer)
}
