//! Deleting the team.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::transfer::{check_name, type_name};
use crate::app::App;
use crate::domain::access::usage::Grouped;
use crate::domain::people::deleted_teams::{self, Contents};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Owner;
use crate::web::pages::notice::Notice;
use crate::web::pages::password_again::{self, Action};
use crate::web::pages::{Confirmation, FormErrors, see_other_with};
use crate::web::paths;

type Figures = Vec<(&'static str, String)>;

#[derive(Template)]
#[template(path = "team/_delete.html")]
struct Delete<'a> {
    question: &'a Confirmation,
    /// Says what to type into the field `name`.
    hint: &'a str,
    email: &'a str,
    figures: Figures,
    /// What was typed as the team's name.
    typed: &'a str,
    errors: FormErrors,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Form {
    name: String,
    password: Zeroizing<String>,
}

pub async fn ask(owner: Owner, htmx: Htmx) -> Result<HttpResponse, PageError> {
    render(&owner, htmx, StatusCode::OK, "", FormErrors::default()).await
}

async fn render(
    owner: &Owner,
    htmx: Htmx,
    status: StatusCode,
    typed: &str,
    errors: FormErrors,
) -> Result<HttpResponse, PageError> {
    let contents = owner.read(deleted_teams::contents).await?;
    let mut question = Confirmation::new(owner, "settings", "Delete team", paths::TEAM_DELETE.0.to_owned());
    question.on_page("Settings", format!("Delete {}?", owner.team.name));
    let (hint, email) = (&type_name(owner), &owner.user.email);
    let dialog = Delete { question: &question, hint, email, figures: figures(&contents), typed, errors };
    question.ask_in(&dialog, htmx, owner, status)
}

fn figures(contents: &Contents) -> Figures {
    let Contents { messages, aliases, contacts, domains, tokens, people } = contents;
    vec![
        ("Messages", Grouped(*messages).to_string()),
        ("Aliases", aliases.to_string()),
        ("Contacts", contacts.to_string()),
        ("Domains", domains.to_string()),
        ("Active tokens", tokens.to_string()),
        ("People who lose access", Grouped(*people).to_string()),
    ]
}

pub async fn delete(
    app: web::Data<App>,
    owner: Owner,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    if let Err(error) = check_name(&form.name, &owner) {
        let (status, errors) = FormErrors::of(error.into())?;
        return render(&owner, Htmx(false), status, &form.name, errors).await;
    }
    let asked = Action {
        nav: "settings",
        to: "delete the team",
        action: paths::TEAM_DELETE.0,
        fields: vec![("name", form.name.clone())],
        always: true,
    };
    if let Some(page) = password_again::ask(&app, &owner, Some(&form.password), &asked).await? {
        return Ok(page);
    }
    app.delete_team(owner.actor(), owner.team.id).await?;
    Ok(see_other_with(paths::HOME, Notice::TeamDeleted))
}
