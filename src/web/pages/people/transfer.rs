//! Transfer of ownership.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::names;
use crate::domain::people::members;
use crate::domain::people::users::UserId;
use crate::domain::{Error, FieldError};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::form::Choice;
use crate::web::pages::guards::Owner;
use crate::web::pages::notice::Notice;
use crate::web::pages::password_again::{self, Action};
use crate::web::pages::{Confirmation, Fields, FormErrors, see_other_with};
use crate::web::paths;
use crate::web::viewer::Viewer;

#[derive(Template)]
#[template(path = "team/_transfer.html")]
struct Transfer<'a> {
    question: &'a Confirmation,
    /// The hint for the field `name`.
    hint: &'a str,
    email: &'a str,
    people: Vec<Choice>,
    to: &'a str,
    /// The typed team name.
    typed: &'a str,
    errors: FormErrors,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Form {
    to: String,
    name: String,
    password: Zeroizing<String>,
}

pub async fn ask(app: web::Data<App>, owner: Owner, htmx: Htmx) -> Result<HttpResponse, PageError> {
    let people = others(&app, &owner).await?;
    render(&owner, htmx, StatusCode::OK, people, &Form::default(), FormErrors::default())
}

/// Everyone who can become the owner.
async fn others(app: &App, owner: &Viewer) -> Result<Vec<Choice>, PageError> {
    let (team, own) = (owner.team.id, owner.user.id);
    let people = app.read(move |tx| members::list(tx, team)).await?;
    let others = people.into_iter().filter(|person| person.user_id != own);
    Ok(others.map(|person| Choice::new(person.user_id, person.name)).collect())
}

fn render(
    owner: &Viewer,
    htmx: Htmx,
    status: StatusCode,
    people: Vec<Choice>,
    form: &Form,
    errors: FormErrors,
) -> Result<HttpResponse, PageError> {
    let action = paths::TEAM_TRANSFER.0.to_owned();
    let mut question = Confirmation::new(owner, "settings", "Transfer ownership", action);
    question.on_page("Settings", format!("Transfer ownership of {}?", owner.team.name));
    if people.is_empty() {
        question
            .refuse("You're the only person on this team. Invite someone first. Once they join, you can make them the owner.");
    }
    let (hint, email) = (&type_name(owner), &owner.user.email);
    let dialog =
        Transfer { question: &question, hint, email, people, to: &form.to, typed: &form.name, errors };
    question.ask_in(&dialog, htmx, owner, status)
}

pub async fn transfer(
    app: web::Data<App>,
    owner: Owner,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let people = others(&app, &owner).await?;
    let to = match check(&form, &owner, &people) {
        Ok(to) => to,
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            return render(&owner, Htmx(false), status, people, &form, errors);
        }
    };
    let asked = Action {
        nav: "settings",
        to: "transfer ownership",
        action: paths::TEAM_TRANSFER.0,
        fields: vec![("to", form.to.clone()), ("name", form.name.clone())],
        always: true,
    };
    if let Some(page) = password_again::ask(&app, &owner, Some(&form.password), &asked).await? {
        return Ok(page);
    }
    let (actor, team) = (owner.actor(), owner.team.id);
    app.write(move |tx| members::transfer(tx, &actor, team, to)).await?;
    Ok(see_other_with(paths::TEAM, Notice::Transferred))
}

/// `NotFound` for a person of another team, even if the form has errors.
fn check(form: &Form, owner: &Viewer, people: &[Choice]) -> Result<UserId, Error> {
    let is_owner = form.to == owner.user.id.to_string();
    if !form.to.is_empty() && !is_owner && !people.iter().any(|person| person.value == form.to) {
        return Err(Error::NotFound);
    }
    let mut fields = Fields::default();
    let to = fields.take(UserId::parse(&form.to).ok_or_else(|| FieldError::new("to", "Choose a person.")));
    let named = fields.take(check_name(&form.name, owner));
    fields.done(to.zip(named)).map(|(to, ())| to)
}

/// Checks the team's name, typed to confirm.
pub fn check_name(typed: &str, owner: &Viewer) -> Result<(), FieldError> {
    match names::key(typed.trim()) == names::key(&owner.team.name) {
        true => Ok(()),
        false => Err(FieldError::new("name", type_name(owner))),
    }
}

pub fn type_name(owner: &Viewer) -> String {
    format!("Type {} to confirm.", owner.team.name)
}
