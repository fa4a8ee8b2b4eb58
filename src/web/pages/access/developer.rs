//! The Developer page: the API switch, the tokens, the team key, and how to call the API.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::api_switch::{self, ApiSwitch};
use super::scopes::{Access, Choice};
use super::team_key::KeySection;
use super::token_list::{self, Cursors, RevokedList, TokenList};
use super::usage::UsageSection;
use crate::app::App;
use crate::domain::Result;
use crate::domain::access::team_key;
use crate::domain::access::tokens;
use crate::domain::access::usage::{self, Period};
use crate::domain::lists::Window;
use crate::domain::people::members;
use crate::domain::people::roles::Role;
use crate::domain::people::users;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::layout::Layout;
use crate::web::pages::{FormErrors, html};
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

/// The page's query, and its form as sent.
#[derive(Default)]
pub struct View {
    pub cursors: Cursors,
    pub label: String,
    pub choice: Choice,
    pub errors: FormErrors,
}

#[derive(Template)]
#[template(path = "developer/page.html")]
struct DeveloperPage {
    layout: Layout,
    limiter_is_away: bool,
    switch: ApiSwitch,
    api_notice: String,
    label: String,
    choice: Choice,
    errors: FormErrors,
    tokens: TokenList,
    revoked: RevokedList,
    usage: UsageSection,
    key: KeySection,
    url: String,
    pattern: String,
    gitleaks: String,
}

#[derive(Template)]
#[template(path = "developer/member.html")]
struct MemberPage {
    layout: Layout,
    admins: Vec<members::Member>,
}

pub async fn show(
    app: web::Data<App>,
    site: web::Data<Site>,
    member: Member,
    cursors: web::Query<Cursors>,
) -> std::result::Result<HttpResponse, PageError> {
    let view = View { cursors: cursors.into_inner(), ..View::default() };
    match member.role {
        Role::Member => show_admins(&app, &member).await,
        Role::Admin | Role::Owner => render(&app, &site, &member, StatusCode::OK, view).await,
    }
}

/// Members can't manage tokens: they see whom to ask.
async fn show_admins(app: &App, member: &Viewer) -> std::result::Result<HttpResponse, PageError> {
    let team = member.team.id;
    let mut admins = app.read(move |tx| members::list(tx, team)).await?;
    admins.retain(|each| each.role() >= Role::Admin);
    admins.sort_by_key(|each| std::cmp::Reverse(each.role()));
    let layout = Layout::new(member, "developer");
    html(StatusCode::OK, &MemberPage { layout, admins })
}

pub async fn render(
    app: &App,
    site: &Site,
    viewer: &Viewer,
    status: StatusCode,
    view: View,
) -> std::result::Result<HttpResponse, PageError> {
    let (before, revoked_before) = view.cursors.parse()?;
    let (team, owner, now) = (viewer.team.id, viewer.team.owner_id, viewer.request.now);
    let read = app.read_activity(move |tx| -> Result<_> {
        let (page, count) = tokens::list_active(tx, team, Window::below(before, token_list::PAGE_SIZE))?;
        let revoked = tokens::list(
            tx,
            team,
            &tokens::Filter::REVOKED,
            Window::below(revoked_before, token_list::PAGE_SIZE),
        )?;
        let tokens = TokenList::of(page, count, before, now);
        let revoked = RevokedList::of(revoked, revoked_before, now);
        let hours = usage::of_team(tx, team, Period::Day, now)?;
        Ok((tokens, revoked, hours, team_key::overview(tx, team, now)?, users::find(tx, owner)?))
    });
    let (tokens, revoked, hours, key, owner) = read.await?;
    let allowance = app.gate().allowance(&viewer.team, now).await?;
    let page = DeveloperPage {
        layout: Layout::new(viewer, "developer"),
        limiter_is_away: !app.gate().limiter_is_reachable().await,
        switch: ApiSwitch::of(viewer, owner),
        api_notice: api_switch::refusal_notice(viewer),
        label: view.label,
        choice: view.choice,
        errors: view.errors,
        tokens,
        revoked,
        usage: UsageSection::of(allowance, &hours),
        key: KeySection::of(viewer, key),
        url: site.url.as_str().to_owned(),
        pattern: app.sealer().prefix.pattern(),
        gitleaks: app.sealer().prefix.gitleaks_rule(),
    };
    html(status, &page)
}
