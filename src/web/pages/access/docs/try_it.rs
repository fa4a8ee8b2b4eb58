//! Try it: the owner and admins send a request from the page, with their session.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use percent_encoding::utf8_percent_encode;

use super::description::{self, Operation};
use super::in_process::{self, Answer, Call};
use super::schema::Field;
use crate::app::App;
use crate::domain::access::usage::Grouped;
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Admin;
use crate::web::pages::layout::Layout;
use crate::web::pages::{FormErrors, html_with_secret};
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

/// Bytes of a response that are shown.
const SHOWN: usize = 64 * 1024;

/// Characters of an input, as its form says.
const INPUT: usize = 1000;

/// The form, and below it the outcome.
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
    Done(Outcome<'a>),
}

struct Inputs {
    place: &'static str,
    title: &'static str,
    inputs: Vec<Input>,
}

impl Inputs {
    /// Headers are rarely needed.
    fn is_open(&self) -> bool {
        self.place != "header" || self.inputs.iter().any(|input| !input.value.is_empty())
    }
}

struct Input {
    field: &'static Field,
    value: String,
}

impl Input {
    fn name(&self, place: &str) -> String {
        format!("{place}.{}", self.field.name)
    }

    fn hint(&self) -> String {
        let Field { text, bounds, .. } = self.field;
        let said = [text.as_str(), bounds].into_iter().filter(|said| !said.is_empty());
        said.collect::<Vec<_>>().join(" · ").replace('`', "")
    }
}

struct Outcome<'a> {
    line: String,
    status: StatusCode,
    headers: &'a [(String, String)],
    body: String,
    /// About the body.
    note: String,
}

#[derive(Template)]
#[template(path = "docs/try.html")]
struct TryItPage<'a> {
    layout: Layout,
    title: &'a str,
    id: &'a str,
    part: String,
}

/// The inputs by place and name: `path.id`, `query.limit`, `body`.
type Filled = Vec<(String, String)>;

impl<'a> TryIt<'a> {
    fn of(operation: &'static Operation, viewer: &Viewer, filled: &Filled, stage: Stage<'a>) -> Self {
        let inputs = operation.places.iter().filter(|place| place.name != "body").map(|place| Inputs {
            place: place.name,
            title: place.title,
            inputs: place.fields.iter().map(|field| input(place.name, field, filled)).collect(),
        });
        Self {
            operation,
            team: viewer.team.name.clone(),
            team_id: viewer.team.id.to_string(),
            places: inputs.collect(),
            body: value(filled, "body").to_owned(),
            errors: FormErrors::default(),
            stage,
        }
    }

    fn is_asking(&self) -> bool {
        matches!(self.stage, Stage::Asking)
    }

    fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done(_))
    }

    fn respond(&self, htmx: Htmx, viewer: &Viewer, status: StatusCode) -> Result<HttpResponse, PageError> {
        // The response that it shows can hold a secret.
        if htmx.0 {
            return html_with_secret(status, self);
        }
        let part = self.render().map_err(PageError::fault)?;
        let (layout, title, id) = (Layout::new(viewer, "docs"), &*self.operation.title, &*self.operation.id);
        html_with_secret(status, &TryItPage { layout, title, id, part })
    }
}

fn input(place: &str, field: &'static Field, filled: &Filled) -> Input {
    let value = value(filled, &format!("{place}.{}", field.name)).to_owned();
    Input { field, value }
}

fn value<'a>(filled: &'a Filled, name: &str) -> &'a str {
    filled.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
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
    let example = super::here(&app, &site).localize(&format!("{:#}", operation.body));
    let filled = match operation.has_body() {
        true => vec![("body".to_owned(), example)],
        false => Vec::new(),
    };
    TryIt::of(operation, &admin, &filled, Stage::Filling).respond(htmx, &admin, StatusCode::OK)
}

/// Sends it; if it changes something, only after confirmation.
pub async fn send(
    admin: Admin,
    htmx: Htmx,
    path: web::Path<String>,
    filled: web::Form<Filled>,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    let operation = operation(&path)?;
    let call = match call(operation, &filled) {
        Ok(call) => call,
        Err(errors) => {
            let form = TryIt { errors, ..TryIt::of(operation, &admin, &filled, Stage::Filling) };
            return form.respond(htmx, &admin, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    if operation.changes_something() && value(&filled, "sure") != "yes" {
        return TryIt::of(operation, &admin, &filled, Stage::Asking).respond(htmx, &admin, StatusCode::OK);
    }
    let line = format!("{} {}", call.method, call.uri);
    let answer = in_process::send(&request, call).await?;
    let stage = Stage::Done(Outcome::of(line, &answer));
    TryIt::of(operation, &admin, &filled, stage).respond(htmx, &admin, StatusCode::OK)
}

/// # Errors
/// The inputs that cannot be sent.
fn call(operation: &Operation, filled: &Filled) -> Result<Call, FormErrors> {
    in_bounds(filled)?;
    let mut path = operation.path.clone();
    for field in operation.fields("path") {
        let (name, place) = (format!("path.{}", field.name), format!("{{{}}}", field.name));
        match value(filled, &name) {
            "" => return Err(FormErrors::one(name, "Required.")),
            value => path = path.replace(&place, &utf8_percent_encode(value, paths::QUERY).to_string()),
        }
    }
    let given = |place: &'static str| {
        let named = operation.fields(place).iter().map(move |it| (it, format!("{place}.{}", it.name)));
        named.filter(|(_, name)| !value(filled, name).is_empty())
    };
    let query: Vec<_> = given("query").map(|(field, name)| (&*field.name, value(filled, &name))).collect();
    let mut headers = Vec::new();
    for (field, name) in given("header") {
        let sent = HeaderValue::try_from(value(filled, &name));
        let sent = sent.map_err(|_| FormErrors::one(name, "Enter one line of ASCII."))?;
        headers.push((HeaderName::try_from(&*field.name).expect("a header's name"), sent));
    }
    let uri = paths::with_query(&path, &query).parse();
    Ok(Call {
        method: operation.method.parse().expect("a method"),
        uri: uri.map_err(|_| too_long_together(filled))?,
        headers,
        body: operation.has_body().then(|| value(filled, "body").to_owned()),
    })
}

fn in_bounds(filled: &Filled) -> Result<(), FormErrors> {
    let inputs = filled.iter().filter(|(name, _)| name != "body");
    match inputs.map(|(name, value)| (name, value.chars().count())).find(|(_, length)| *length > INPUT) {
        Some((name, length)) => {
            let message = format!("Enter at most {INPUT} characters (you typed {length}).");
            Err(FormErrors::one(name.clone(), message))
        }
        None => Ok(()),
    }
}

/// Each input is short enough, but the URL with all of them is not.
fn too_long_together(filled: &Filled) -> FormErrors {
    let inputs = filled.iter().filter(|(name, _)| name != "body");
    let longest = inputs.max_by_key(|(_, value)| value.len()).map_or("", |(name, _)| name);
    FormErrors::one(longest.to_owned(), "All inputs together make the URL too long. Shorten this one.")
}

impl<'a> Outcome<'a> {
    fn of(line: String, answer: &'a Answer) -> Self {
        let (body, note) = match &answer.body {
            Some(body) => display(body),
            None => (String::new(), "The response is too long to show here.".into()),
        };
        Self { line, status: answer.status, headers: &answer.headers, body, note }
    }
}

/// The body as people read it, and a note about it.
fn display(body: &Bytes) -> (String, String) {
    if let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) {
        return cut(format!("{json:#}"));
    }
    match std::str::from_utf8(body) {
        Ok("") => (String::new(), "No body.".into()),
        Ok(text) => cut(text.to_owned()),
        Err(_) => (String::new(), format!("{} bytes of binary data.", Grouped(body.len() as i64))),
    }
}

fn cut(text: String) -> (String, String) {
    match text.len() > SHOWN {
        true => {
            let note = format!("Showing the beginning of {} bytes.", Grouped(text.len() as i64));
            (text[..text.floor_char_boundary(SHOWN)].to_owned(), note)
        }
        false => (text, String::new()),
    }
}
