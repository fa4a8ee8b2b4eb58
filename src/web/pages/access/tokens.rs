//! One token: made and revealed, looked at, renamed, revoked.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::developer::{self, View};
use super::reveal::{self, Shown};
use super::scopes::Choice;
use super::token_list::{self, Row, TokenList};
use crate::app::App;
use crate::domain::access::activity::{self, ActivityKind, Filter, Record, Usage};
use crate::domain::access::scopes::Scopes;
use crate::domain::access::secret::PlainToken;
use crate::domain::access::tokens::{self, Label, Token, TokenId};
use crate::domain::lists::Window;
use crate::domain::people::teams::TeamId;
use crate::domain::{Error, Result};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Admin;
use crate::web::pages::layout::Layout;
use crate::web::pages::notice::Notice;
use crate::web::pages::password_again::{self, Asked};
use crate::web::pages::when::When;
use crate::web::pages::{Fields, FormErrors, html, see_other_with};
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

/// Calls listed on a token's page.
const LAST: i64 = 20;

/// The form of a new token. A box that is ticked sends its name once more, so the form is
/// read as the pairs it is.
struct NewToken {
    name: String,
    choice: Choice,
    password: Zeroizing<String>,
}

impl NewToken {
    fn of(fields: Vec<(String, String)>) -> Self {
        let choice = Choice::of(&fields);
        let (mut name, mut password) = (String::new(), Zeroizing::default());
        for (field, value) in fields {
            match field.as_str() {
                "name" => name = value,
                "password" => password = Zeroizing::new(value),
                _ => {}
            }
        }
        Self { name, choice, password }
    }

    fn parse(&self) -> Result<(Label, Scopes)> {
        let mut fields = Fields::default();
        let label = fields.take(Label::parse(&self.name));
        let scopes = fields.take(self.choice.scopes());
        fields.done(label.zip(scopes))
    }

    fn kept(&self) -> Vec<(&'static str, String)> {
        let name = ("name", self.name.clone());
        [name].into_iter().chain(self.choice.fields()).collect()
    }
}

/// Makes a token and answers with its secret. Sending the same form again makes no second
/// one: the name is taken.
pub async fn create(
    app: web::Data<App>,
    site: web::Data<Site>,
    admin: Admin,
    form: web::Form<Vec<(String, String)>>,
) -> std::result::Result<HttpResponse, PageError> {
    let form = NewToken::of(form.into_inner());
    let refused = match form.parse() {
        Err(error) => error,
        Ok((label, scopes)) => {
            let (to, action) = ("create a token", paths::TOKENS.0);
            let asked = Asked { nav: "developer", to, action, fields: form.kept(), always: false };
            if let Some(page) = password_again::ask(&app, &admin, Some(&form.password), &asked).await? {
                return Ok(page);
            }
            match mint(&app, &admin, label, scopes).await {
                Ok((token, plain, list)) => {
                    return reveal::draw(&site, &admin, &token, &plain, Shown::Token(list));
                }
                Err(error) => error,
            }
        }
    };
    let (status, errors) = FormErrors::of(refused)?;
    let view = View { label: form.name, choice: form.choice, errors, ..View::default() };
    developer::draw(&app, &site, &admin, status, view).await
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
        let (page, count) = tokens::list_active(tx, team, Window::first(token_list::PAGE))?;
        Ok((token, plain, TokenList::of(page, count, None, actor.now)))
    })
    .await
}

/// A call as the list of the last ones shows it.
struct Call {
    id: String,
    at: When,
    request: String,
    status: u16,
    took: String,
    from: String,
}

impl Call {
    fn of(record: Record) -> Self {
        let took = f64::from(record.duration_us.unwrap_or_default()) / 1000.0;
        Self {
            id: record.id.to_string(),
            at: When(record.at),
            request: format!("{} {}", record.method.unwrap_or_default(), record.route.unwrap_or_default()),
            status: record.status.and_then(|status| status.try_into().ok()).unwrap_or_default(),
            took: format!("{took:.1} ms"),
            from: record.ip.unwrap_or_default(),
        }
    }
}

/// The calls made with a token.
fn calls_of(id: TokenId) -> Filter {
    Filter { kinds: Some(ActivityKind::CALLS.to_vec()), token: Some(id), ..Filter::default() }
}

#[derive(Template)]
#[template(path = "developer/token.html")]
struct TokenPage {
    layout: Layout,
    token: Row,
    calls: Usage,
    last: Vec<Call>,
    label: String,
    cap: String,
    errors: FormErrors,
}

pub async fn show(
    app: web::Data<App>,
    admin: Admin,
    path: web::Path<TokenId>,
) -> std::result::Result<HttpResponse, PageError> {
    let layout = Layout::new(&admin, "developer");
    draw(&app, &admin, path.into_inner(), layout, StatusCode::OK, Refused::default()).await
}

/// What was sent about a token and refused; what was not sent is shown as it stands.
#[derive(Default)]
pub struct Refused {
    pub label: Option<String>,
    pub cap: Option<String>,
    pub errors: FormErrors,
}

/// A token's page, with what came of changing it if that failed.
pub async fn draw(
    app: &App,
    viewer: &Viewer,
    id: TokenId,
    layout: Layout,
    status: StatusCode,
    refused: Refused,
) -> std::result::Result<HttpResponse, PageError> {
    let (team, now) = (viewer.team.id, viewer.request.now);
    let read = app.read_activity(move |tx| -> Result<_> {
        let token = tokens::find(tx, team, id)?;
        let last = activity::list(tx, team, &calls_of(id), Window::first(LAST))?;
        Ok((token, activity::usage(tx, team, id, now)?, last.rows))
    });
    let (token, calls, last) = read.await?;
    let last = last.into_iter().map(Call::of).collect();
    let Refused { label, cap, errors } = refused;
    let label = label.unwrap_or_else(|| token.name.clone());
    let cap = cap.unwrap_or_else(|| token.hourly_cap.map(|cap| cap.to_string()).unwrap_or_default());
    html(status, &TokenPage { layout, token: Row::of(token, now), calls, last, label, cap, errors })
}

#[derive(serde::Deserialize)]
pub struct Naming {
    #[serde(default)]
    name: String,
}

pub async fn rename(
    app: web::Data<App>,
    admin: Admin,
    path: web::Path<TokenId>,
    form: web::Form<Naming>,
) -> std::result::Result<HttpResponse, PageError> {
    let id = path.into_inner();
    match renamed(&app, &admin, id, &form.name).await {
        Ok(_) => Ok(see_other_with(paths::TOKEN.of(id), Notice::TokenRenamed)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            let layout = Layout::new(&admin, "developer");
            let refused = Refused { label: Some(form.name.clone()), errors, ..Refused::default() };
            draw(&app, &admin, id, layout, status, refused).await
        }
    }
}

async fn renamed(app: &App, viewer: &Viewer, id: TokenId, name: &str) -> Result<Token> {
    let (actor, team) = (viewer.actor(), viewer.team.id);
    let label = Label::parse(name);
    app.write(move |tx| {
        // Another team's token does not exist, whatever it should be called.
        tokens::find(tx, team, id)?;
        tokens::rename(tx, &actor, team, id, &label?)
    })
    .await
}

/// "Is it safe to revoke?", in numbers.
#[derive(Template)]
#[template(path = "developer/_revoke.html")]
struct Revoke {
    team: TeamId,
    token: Row,
    calls: Usage,
    reason: String,
    errors: FormErrors,
}

pub async fn ask_revoke(
    app: web::Data<App>,
    admin: Admin,
    htmx: Htmx,
    path: web::Path<TokenId>,
) -> std::result::Result<HttpResponse, PageError> {
    let id = path.into_inner();
    question(&app, &admin, htmx, id, StatusCode::OK, (String::new(), FormErrors::default())).await
}

async fn question(
    app: &App,
    viewer: &Viewer,
    htmx: Htmx,
    id: TokenId,
    status: StatusCode,
    (reason, errors): (String, FormErrors),
) -> std::result::Result<HttpResponse, PageError> {
    let (team, now) = (viewer.team.id, viewer.request.now);
    let read = app.read_activity(move |tx| -> Result<_> {
        Ok((tokens::find(tx, team, id)?, activity::usage(tx, team, id, now)?))
    });
    let (token, calls) = read.await?;
    let revoke = Revoke { team, token: Row::of(token, now), calls, reason, errors };
    developer::ask(htmx, viewer, status, "Revoke a token", &revoke)
}

#[derive(serde::Deserialize)]
pub struct Why {
    #[serde(default)]
    reason: String,
}

pub async fn revoke(
    app: web::Data<App>,
    admin: Admin,
    path: web::Path<TokenId>,
    form: web::Form<Why>,
) -> std::result::Result<HttpResponse, PageError> {
    let id = path.into_inner();
    let (actor, team) = (admin.actor(), admin.team.id);
    let reason = tokens::parse_reason(&form.reason);
    let revoked = app.write(move |tx| -> Result<_> {
        tokens::find(tx, team, id)?;
        tokens::revoke(tx, &actor, team, id, reason?.as_deref())
    });
    match revoked.await {
        Ok(_) => Ok(see_other_with(paths::DEVELOPER, Notice::TokenRevoked)),
        Err(Error::Conflict(_)) => Ok(see_other_with(paths::DEVELOPER, Notice::TokenRevokedAlready)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            question(&app, &admin, Htmx(false), id, status, (form.into_inner().reason, errors)).await
        }
    }
}
