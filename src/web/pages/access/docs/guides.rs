//! The guides: what is the same for all operations. Their text is in `templates/docs/_guide.html`.

use askama::Template;

use super::description::{self, GROUPS, Operation};
use super::examples::{Example, Here, Request};
use super::guide::Guide;
use super::highlight::{self, Language};
use super::place::Place;
use crate::app::App;
use crate::domain::access::plans::Plan;
use crate::domain::access::scopes::Scope;
use crate::domain::access::usage::Grouped;
use crate::domain::people::roles::Role;
use crate::web::api::codes::{self, Code};
use crate::web::api::openapi::about;
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

impl Guide {
    pub fn markup(self, about: &About, place: Place) -> askama::Result<String> {
        Section { guide: self, about, place }.render()
    }
}

#[derive(Template)]
#[template(path = "docs/_guide.html")]
struct Section<'a> {
    guide: Guide,
    about: &'a About,
    place: Place,
}

/// The details of the instance and of the team that the reference shows.
pub struct About {
    pub here: Here,
    pub team: String,
    pub plan: Plan,
    pub limit: Grouped,
    pub plans: Vec<(Plan, Grouped)>,
    pub may_try: bool,
    pub language: &'static str,
}

impl About {
    pub fn of(app: &App, site: &Site, viewer: &Viewer, language: &'static str) -> Self {
        let limit = |plan| Grouped(app.gate().limit(plan).into());
        Self {
            here: Here::of(app, site),
            team: viewer.team.name.clone(),
            plan: viewer.team.plan,
            limit: limit(viewer.team.plan),
            plans: Plan::ALL.iter().map(|plan| (*plan, limit(*plan))).collect(),
            may_try: viewer.role >= Role::Admin,
            language,
        }
    }

    pub fn base_url(&self) -> String {
        format!("{}/api/v1", self.here.url)
    }

    pub fn get(&self, path: &str) -> Vec<Example> {
        Request::get(path).in_each_language(&self.here)
    }

    pub fn examples(&self, operation: &Operation) -> Vec<Example> {
        Request::of(operation).in_each_language(&self.here)
    }

    pub fn first_answer(&self) -> String {
        let all = GROUPS.iter().flat_map(|group| &group.operations);
        let me = all.filter(|it| it.path == "/api/v1/me").map(|it| self.here.localize(&it.success.example));
        me.collect()
    }
}

fn promises() -> [(&'static str, &'static [&'static str]); 3] {
    let about::Versioning { may_change, stays, end, .. } = about::VERSIONING;
    [("Can change at any time", may_change), ("Stays the same", stays), ("How a version ends", end)]
}

fn codes() -> &'static [&'static Code] {
    codes::ALL
}

/// How an app revokes its own token.
fn revocations() -> Option<&'static Operation> {
    description::find("revoke-my-token")
}

/// Each scope with the operations that need it.
fn scopes() -> Vec<(Scope, Vec<&'static Operation>)> {
    let all = || GROUPS.iter().flat_map(|group| &group.operations);
    let needing = |scope: Scope| all().filter(|it| it.scope() == scope.as_str()).collect();
    Scope::ALL.into_iter().map(|scope| (scope, needing(scope))).collect()
}
