//! One token: create, show, rename, revoke.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use zeroize::Zeroizing;

use super::developer::{self, View};
use super::reveal::{self, Revealed};
use super::scopes::Choice;
use super::token_list::{self, Row, TokenList};
use crate::app::App;
use crate::domain::access::activity::{self, ActivityKind, Filter, Record, Usage};
use crate::domain::access::scopes::Scopes;
use crate::domain::access::secret::PlainToken;
use crate::domain::access::tokens::{self, Label, Token, TokenId};
use crate::domain::lists::Window;
use crate::domain::{Error, Result};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::form::Repeating;
use crate::web::pages::format::When;
use crate::web::pages::guards::Admin;
use crate::web::pages::layout::Layout;
use crate::web::pages::notice::Notice;
use crate::web::pages::password_again::{self, Action};
use crate::web::pages::{Confirmation, Fields, FormErrors, html, see_other_with};
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

const RECENT_REQUESTS: i64 = 20;

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

/// Responds with the secret. Sending the same form again creates no second token: the name is taken.
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
                    return reveal::render(&site, &admin, &token, &plain, Revealed::Token(list));
                }
                Err(error) => error,
            }
        }
    };
    let (status, errors) = FormErrors::of(error)?;
    let choice = form.choice();
    let view = View { label: form.name, choice, errors, ..View::default() };
    developer::render(&app, &site, &admin, status, view).await
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
        let (page, count) = tokens::list_active(tx, team, Window::first(token_list::PAGE_SIZE))?;
        Ok((token, plain, TokenList::of(page, count, None, actor.now)))
    })
    .await
}

struct RequestRow {
    id: String,
    at: When,
    request: String,
    status: u16,
    duration: String,
    ip: String,
}

impl RequestRow {
    fn of(record: Record) -> Self {
        let duration = f64::from(record.duration_us.unwrap_or_default()) / 1000.0;
        Self {
            id: record.id.to_string(),
            at: When(record.at),
            request: format!("{} {}", record.method.unwrap_or_default(), record.route.unwrap_or_default()),
            status: record.status.and_then(|status| status.try_into().ok()).unwrap_or_default(),
            duration: format!("{duration:.1} ms"),
            ip: record.ip.unwrap_or_default(),
        }
    }
}

fn requests_with(id: TokenId) -> Filter {
    Filter { kinds: Some(ActivityKind::CALLS.to_vec()), token: Some(id), ..Filter::default() }
}

#[derive(Template)]
#[template(path = "developer/token.html")]
struct TokenPage {
    layout: Layout,
    token: Row,
    calls: Usage,
    recent: Vec<RequestRow>,
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
    render(&app, &admin, path.into_inner(), layout, StatusCode::OK, Rejected::default()).await
}

/// A rejected form; fields that were not sent show the token's values.
#[derive(Default)]
pub struct Rejected {
    pub label: Option<String>,
    pub cap: Option<String>,
    pub errors: FormErrors,
}

pub async fn render(
    app: &App,
    viewer: &Viewer,
    id: TokenId,
    layout: Layout,
    status: StatusCode,
    rejected: Rejected,
) -> std::result::Result<HttpResponse, PageError> {
    let (team, now) = (viewer.team.id, viewer.request.now);
    let read = app.read_activity(move |tx| -> Result<_> {
        let token = tokens::find(tx, team, id)?;
        let recent = activity::list(tx, team, &requests_with(id), Window::first(RECENT_REQUESTS))?;
        Ok((token, activity::usage(tx, team, id, now)?, recent.rows))
    });
    let (token, calls, recent) = read.await?;
    let recent = recent.into_iter().map(RequestRow::of).collect();
    let Rejected { label, cap, errors } = rejected;
    let label = label.unwrap_or_else(|| token.name.clone());
    let cap = cap.unwrap_or_else(|| token.hourly_cap.map(|cap| cap.to_string()).unwrap_or_default());
    html(status, &TokenPage { layout, token: Row::of(token, now), calls, recent, label, cap, errors })
}

#[derive(serde::Deserialize)]
pub struct RenameForm {
    #[serde(default)]
    name: String,
}

pub async fn rename(
    app: web::Data<App>,
    admin: Admin,
    path: web::Path<TokenId>,
    form: web::Form<RenameForm>,
) -> std::result::Result<HttpResponse, PageError> {
    let id = path.into_inner();
    match rename_token(&app, &admin, id, &form.name).await {
        Ok(_) => Ok(see_other_with(paths::TOKEN.of(id), Notice::TokenRenamed)),
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            let layout = Layout::new(&admin, "developer");
            let rejected = Rejected { label: Some(form.name.clone()), errors, ..Rejected::default() };
            render(&app, &admin, id, layout, status, rejected).await
        }
    }
}

async fn rename_token(app: &App, viewer: &Viewer, id: TokenId, name: &str) -> Result<Token> {
    let (actor, team) = (viewer.actor(), viewer.team.id);
    let label = Label::parse(name);
    app.write(move |tx| {
        // 404 for another team's token, before the name is checked.
        tokens::find(tx, team, id)?;
        tokens::rename(tx, &actor, team, id, &label?)
    })
    .await
}

/// Shows what would break.
#[derive(Template)]
#[template(path = "developer/_revoke.html")]
struct Revoke<'a> {
    question: &'a Confirmation,
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
    let token = Row::of(token, now);
    let mut question = Confirmation::new(viewer, "developer", "Revoke token", paths::TOKEN_REVOKE.of(id));
    question.on_page("Developer", format!("Revoke “{}”?", token.name));
    question.is_possible = token.revoked.is_none();
    question.ask_in(&Revoke { question: &question, token, calls, reason, errors }, htmx, viewer, status)
}

#[derive(serde::Deserialize)]
pub struct RevokeForm {
    #[serde(default)]
    reason: String,
}

pub async fn revoke(
    app: web::Data<App>,
    admin: Admin,
    path: web::Path<TokenId>,
    form: web::Form<RevokeForm>,
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
