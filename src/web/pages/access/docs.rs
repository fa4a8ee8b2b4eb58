//! The API reference, rendered from the description. Only the guides are written by hand.

mod description;
mod examples;
mod guide;
mod guides;
mod highlight;
mod in_process;
mod language;
mod place;
mod schema;
mod search;
mod try_it;
mod words;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::api_switch;
use crate::app::App;
use crate::domain::search::Search;
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::layout::Layout;
use crate::web::pages::{html, part_at};
use crate::web::paths;
use crate::web::route::{PageRoute, page};
use crate::web::site::Site;
use description::{GROUPS, Group, Operation};
use examples::Request;
use guide::Guide;
use guides::About;
use highlight::Language;
use place::Place;
use search::Results;

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::DOCS).get(guides),
        page(paths::DOCS_ALL).get(all),
        page(paths::DOCS_LANGUAGE).post(language::keep),
        page(paths::DOCS_TRY).get(try_it::ask).post(try_it::send),
        // Behind the others, whose paths would match it.
        page(paths::DOCS_RESOURCE).get(group),
    ]
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
}

#[derive(Template)]
#[template(path = "docs/page.html")]
struct DocsPage {
    layout: Layout,
    /// Why the API refuses requests; empty if it does not.
    closed: String,
    reference: Reference,
    results: Option<Results>,
}

/// What is below the search, unless that has results.
#[derive(Template)]
#[template(path = "docs/_reference.html")]
struct Reference {
    about: About,
    place: Place,
}

impl Reference {
    fn groups(&self) -> Vec<&'static Group> {
        match self.place {
            Place::Resource(group) => vec![group],
            Place::All => GROUPS.iter().collect(),
            Place::Guides | Place::Results => Vec::new(),
        }
    }

    fn guides(&self) -> &'static [Guide] {
        match self.place {
            Place::Guides | Place::All => &Guide::ALL,
            Place::Resource(_) | Place::Results => &[],
        }
    }

    fn guide(&self, guide: &Guide) -> askama::Result<String> {
        guide.markup(&self.about, self.place)
    }

    fn on_the_dashboard(&self, operation: &Operation) -> String {
        Request::of(operation).on_the_dashboard()
    }
}

pub async fn guides(
    app: web::Data<App>,
    site: web::Data<Site>,
    member: Member,
    htmx: Htmx,
    request: HttpRequest,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let about = About::of(&app, &site, &member, language::chosen(&request));
    respond(&member, htmx, Reference { about, place: Place::Guides }, &asked.q)
}

pub async fn all(
    app: web::Data<App>,
    site: web::Data<Site>,
    member: Member,
    htmx: Htmx,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    let about = About::of(&app, &site, &member, language::chosen(&request));
    respond(&member, htmx, Reference { about, place: Place::All }, "")
}

pub async fn group(
    app: web::Data<App>,
    site: web::Data<Site>,
    member: Member,
    htmx: Htmx,
    request: HttpRequest,
    (path, asked): (web::Path<String>, web::Query<Asked>),
) -> Result<HttpResponse, PageError> {
    let place = Group::find(&path).map(Place::Resource).ok_or_else(PageError::not_found)?;
    let about = About::of(&app, &site, &member, language::chosen(&request));
    respond(&member, htmx, Reference { about, place }, &asked.q)
}

/// For every member: those who cannot create tokens may still write the app.
fn respond(
    member: &Member,
    Htmx(by_htmx): Htmx,
    reference: Reference,
    q: &str,
) -> Result<HttpResponse, PageError> {
    let (search, place) = (Search::parse(q)?, reference.place);
    let results = match search.as_str() {
        "" => None,
        asked => Some(Results::of(&reference.about, place, asked)?),
    };
    let address = paths::with_query(&place.path(), &[("q", search.as_str())]);
    match (by_htmx, results) {
        (true, Some(results)) => part_at(&address, &results),
        (true, None) => part_at(&address, &reference),
        (false, results) => {
            let (layout, closed) = (Layout::new(member, "docs"), api_switch::refusal_notice(member));
            html(StatusCode::OK, &DocsPage { layout, closed, reference, results })
        }
    }
}
