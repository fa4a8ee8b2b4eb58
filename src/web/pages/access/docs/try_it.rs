//! Try it: the owner and admins send a request from the page, with their session.

mod inputs;
mod outcome;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use self::inputs::{Filled, Inputs, value};
use self::outcome::Outcome;
use super::description::{self, Operation};
use super::examples::Here;
use super::highlight::{Language, highlight};
use super::in_process;
use super::place::Place;
use super::schema;
use crate::app::App;
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Admin;
use crate::web::pages::layout::Layout;
use crate::web::pages::{FormErrors, html_with_secret};
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

/// The request at the left, and at the right its outcome.
#[derive(Template)]
#[template(path = "docs/_try.html")]
struct TryIt<'a> {
    operation: &'static Operation,
    team: String,
    team_id: String,
    places: Vec<Inputs>,
    body: String,
    errors: FormErrors,
    stage: Stage<'a>,
}

enum Stage<'a> {
    Filling,
    /// For confirmation, as it changes something.
    Asking,
    /// The request for a terminal, as markup.
    Curl(String),
    Done(Outcome<'a>),
}

#[derive(Template)]
#[template(path = "docs/try.html")]
struct TryItPage<'a> {
    layout: Layout,
    operation: &'a Operation,
    part: String,
}

impl<'a> TryIt<'a> {
    fn of(operation: &'static Operation, viewer: &Viewer, filled: &Filled, stage: Stage<'a>) -> Self {
        Self {
            operation,
            team: viewer.team.name.clone(),
            team_id: viewer.team.id.to_string(),
            places: Inputs::of(operation, filled),
            body: value(filled, "body").to_owned(),
            errors: FormErrors::default(),
            stage,
        }
    }

    fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done(_))
    }

    /// The page that describes the operation.
    fn back(&self) -> String {
        Place::Results.operation(self.operation)
    }

    /// For ids beside those of the reference and of other forms.
    fn prefix(&self) -> String {
        format!("{}-try-", self.operation.id)
    }

    fn respond(&self, htmx: Htmx, viewer: &Viewer, status: StatusCode) -> Result<HttpResponse, PageError> {
        // The response that it shows can hold a secret.
        if htmx.0 {
            return html_with_secret(status, self);
        }
        let part = self.render().map_err(PageError::fault)?;
        let page = TryItPage { layout: Layout::new(viewer, "docs"), operation: self.operation, part };
        html_with_secret(status, &page)
    }
}

fn operation(id: &str) -> Result<&'static Operation, PageError> {
    let found = description::find(id).ok_or_else(PageError::not_found)?;
    match found.can_be_tried() {
        true => Ok(found),
        false => Err(PageError::forbidden("Create tokens on the Developer page.")),
    }
}

pub async fn ask(
    app: web::Data<App>,
    site: web::Data<Site>,
    admin: Admin,
    htmx: Htmx,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let operation = operation(&path)?;
    let example = Here::of(&app, &site).localize(&format!("{:#}", operation.body));
    let filled = match operation.has_body() {
        true => vec![("body".to_owned(), example)],
        false => Vec::new(),
    };
    TryIt::of(operation, &admin, &filled, Stage::Filling).respond(htmx, &admin, StatusCode::OK)
}

/// Sends it; if it changes something, only after confirmation.
pub async fn send(
    site: web::Data<Site>,
    admin: Admin,
    htmx: Htmx,
    path: web::Path<String>,
    filled: web::Form<Filled>,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    let operation = operation(&path)?;
    let call = match inputs::call(operation, &filled) {
        Ok(call) => call,
        Err(errors) => {
            let form = TryIt { errors, ..TryIt::of(operation, &admin, &filled, Stage::Filling) };
            return form.respond(htmx, &admin, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let show = |stage| TryIt::of(operation, &admin, &filled, stage).respond(htmx, &admin, StatusCode::OK);
    if value(&filled, "as") == "curl" {
        let line = inputs::curl(&call, site.url.as_str());
        return show(Stage::Curl(highlight(Language::Shell, &line)));
    }
    if operation.changes_something() && value(&filled, "sure") != "yes" {
        return show(Stage::Asking);
    }
    let line = format!("{} {}", call.method, call.uri);
    let answer = in_process::send(&request, call).await?;
    show(Stage::Done(Outcome::of(line, &answer)))
}
