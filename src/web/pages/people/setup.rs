//! First start: the setup link creates a team and its owner.

use actix_session::Session as Cookie;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::Result;
use crate::domain::access::plans::Plan;
use crate::domain::people::passwords::Password;
use crate::domain::people::sessions;
use crate::domain::people::teams::{self, NewTeam, TeamName};
use crate::domain::people::users::{NewPerson, PersonName, User};
use crate::domain::text::EmailAddress;
use crate::web::browser::KnownBrowser;
use crate::web::pages::error::PageError;
use crate::web::pages::notice::Notice;
use crate::web::pages::{Fields, FormErrors, html, see_other_with};
use crate::web::paths;
use crate::web::request::RequestInfo;
use crate::web::session;

#[derive(serde::Deserialize)]
pub struct Query {
    #[serde(default)]
    key: String,
}

#[derive(serde::Deserialize)]
pub struct Form {
    #[serde(default)]
    key: String,
    #[serde(default)]
    team: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: Zeroizing<String>,
}

#[derive(Template)]
#[template(path = "setup/page.html")]
struct SetupPage<'a> {
    key: &'a str,
    team: &'a str,
    person: &'a str,
    email: &'a str,
    errors: FormErrors,
}

pub async fn show(
    app: web::Data<App>,
    query: web::Query<Query>,
) -> std::result::Result<HttpResponse, PageError> {
    check_key(&app, &query.key).await?;
    html(
        StatusCode::OK,
        &SetupPage { key: &query.key, team: "", person: "", email: "", errors: FormErrors::default() },
    )
}

pub async fn create(
    app: web::Data<App>,
    request: RequestInfo,
    cookie: Cookie,
    browser: KnownBrowser,
    form: web::Form<Form>,
) -> std::result::Result<HttpResponse, PageError> {
    check_key(&app, &form.key).await?;
    match create_team(&app, &request, &form).await {
        Ok((key, owner)) => {
            session::set_cookie(&cookie, &key);
            browser.remember(see_other_with(paths::DEVELOPER, Notice::Welcome), &owner)
        }
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            let Form { key, team, name, email, .. } = &*form;
            html(status, &SetupPage { key, team, person: name, email, errors })
        }
    }
}

/// # Errors
/// `NotFound` if the key is wrong or an account exists.
async fn check_key(app: &App, key: &str) -> std::result::Result<(), PageError> {
    let expected = app.sealer().key.setup_key();
    let matches: bool = expected.as_bytes().ct_eq(key.as_bytes()).into();
    let set_up = app.read(teams::is_set_up).await?;
    if matches && !set_up { Ok(()) } else { Err(PageError::not_found()) }
}

/// Returns the session key and the owner.
async fn create_team(app: &App, request: &RequestInfo, form: &Form) -> Result<(String, User)> {
    let new = parse(app, form).await?;
    let (actor, key) = (request.visitor(), session::new_key(app));
    let own = key.clone();
    let owner = app.write(move |tx| {
        let (team, owner) = teams::set_up(tx, &actor, &new)?;
        sessions::open(tx, &actor, owner.id, Some(team.id), &own)?;
        Ok(owner)
    });
    Ok((key, owner.await?))
}

async fn parse(app: &App, form: &Form) -> Result<NewTeam> {
    let mut fields = Fields::default();
    let team = fields.take(TeamName::parse(&form.team));
    let name = fields.take(PersonName::parse(&form.name));
    let email = fields.take(EmailAddress::parse(&form.email));
    let password = fields.take(Password::parse("password", &form.password));
    let whole = team.zip(name).zip(email.zip(password));
    let ((team, name), (email, password)) = fields.done(whole)?;
    let password_hash = app.hash_password(password).await?;
    Ok(NewTeam { name: team, plan: Plan::DEFAULT, owner: NewPerson { email, name, password_hash } })
}
