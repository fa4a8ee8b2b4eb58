//! Creating a token: the form, in a dialog or on a separate page, and the secret, shown once.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::api_switch;
use super::reveal::{self, Revealed};
use super::scopes::{Access, Choice};
use super::token_list::TokenList;
use super::token_query::{self, Asked};
use crate::app::App;
use crate::domain::Result;
use crate::domain::access::scopes::Scopes;
use crate::domain::access::secret::PlainToken;
use crate::domain::access::tokens::{self, Label, Token};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::form::Repeating;
use crate::web::pages::guards::Admin;
use crate::web::pages::layout::Layout;
use crate::web::pages::password_again::{self, Action};
use crate::web::pages::{Fields, FormErrors, html};
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct NewToken {
    name: String,
    access: String,
    scope: Vec<String>,
    password: Zeroizing<String>,
}

impl NewToken {
    fn choice(&self) -> Choice {
        Choice::of(&self.access, &self.scope)
    }

    fn parse(&self) -> Result<(Label, Scopes)> {
        let mut fields = Fields::default();
        let label = fields.take(Label::parse(&self.name));
        let scopes = fields.take(self.choice().scopes());
        fields.done(label.zip(scopes))
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        let name = ("name", self.name.clone());
        [name].into_iter().chain(self.choice().fields()).collect()
    }
}

/// The form alone, for the dialog.
#[derive(Template)]
#[template(path = "developer/_create.html")]
struct CreateForm {
    team: String,
    label: String,
    choice: Choice,
    errors: FormErrors,
    api_notice: String,
}

#[derive(Template)]
#[template(path = "developer/create.html")]
struct CreatePage {
    layout: Layout,
    form: String,
}

pub async fn ask(admin: Admin, htmx: Htmx) -> std::result::Result<HttpResponse, PageError> {
    let form = CreateForm::of(&admin, String::new(), Choice::default(), FormErrors::default());
    match htmx.0 {
        true => html(StatusCode::OK, &form),
        false => on_own_page(&admin, StatusCode::OK, &form),
    }
}

impl CreateForm {
    fn of(viewer: &Viewer, label: String, choice: Choice, errors: FormErrors) -> Self {
        let (team, api_notice) = (viewer.team.id.to_string(), api_switch::refusal_notice(viewer));
        Self { team, label, choice, errors, api_notice }
    }
}

fn on_own_page(
    viewer: &Viewer,
    status: StatusCode,
    form: &CreateForm,
) -> std::result::Result<HttpResponse, PageError> {
    let form = form.render().map_err(PageError::fault)?;
    html(status, &CreatePage { layout: Layout::new(viewer, "developer"), form })
}

/// Responds with the secret. Submitting the form twice creates one token, because its name is then taken.
pub async fn create(
    app: web::Data<App>,
    site: web::Data<Site>,
    admin: Admin,
    Repeating(form): Repeating<NewToken>,
) -> std::result::Result<HttpResponse, PageError> {
    let error = match form.parse() {
        Err(error) => error,
        Ok((label, scopes)) => {
            let (to, action) = ("create a token", paths::TOKENS.0);
            let asked = Action { nav: "developer", to, action, fields: form.fields(), always: false };
            if let Some(page) = password_again::ask(&app, &admin, Some(&form.password), &asked).await? {
                return Ok(page);
            }
            match mint(&app, &admin, label, scopes).await {
                Ok((token, plain, list)) => {
                    return reveal::render(&site, &admin, &token, &plain, Revealed::Token(Box::new(list)));
                }
                Err(error) => error,
            }
        }
    };
    let (status, errors) = FormErrors::of(error)?;
    let choice = form.choice();
    on_own_page(&admin, status, &CreateForm::of(&admin, form.name, choice, errors))
}

async fn mint(
    app: &App,
    viewer: &Viewer,
    label: Label,
    scopes: Scopes,
) -> Result<(Token, PlainToken, TokenList)> {
    let (actor, team, prefix) = (viewer.actor(), viewer.team.id, app.sealer().prefix.clone());
    app.write(move |tx| {
        let (token, plain) = tokens::mint(tx, &actor, team, &label, scopes, &prefix)?;
        let found = token_query::find(tx, team, &Asked::first(), None)?;
        Ok((token, plain, TokenList::of(found, Asked::first(), actor.now)))
    })
    .await
}
