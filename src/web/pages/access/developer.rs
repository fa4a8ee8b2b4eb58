//! The Developer page: its Tokens tab, and the parts shared by all tabs.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::api_switch::{self, ApiSwitch};
use super::token_list::TokenList;
use super::token_query::{self, Asked, Query};
use crate::app::App;
use crate::domain::lists::Capped;
use crate::domain::people::members;
use crate::domain::people::roles::Role;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::html;
use crate::web::pages::layout::Layout;
use crate::web::paths;
use crate::web::viewer::Viewer;

/// The tabs above the content.
pub struct Tabs {
    /// "tokens", "usage" or "settings".
    pub current: &'static str,
    /// The number of active tokens.
    pub active: Capped,
    pub is_on: bool,
    pub limiter_is_away: bool,
}

impl Tabs {
    pub async fn of(app: &App, viewer: &Viewer, current: &'static str, active: Capped) -> Self {
        let limiter_is_away = !app.gate().limiter_is_reachable().await;
        Self { current, active, is_on: viewer.team.api_enabled, limiter_is_away }
    }
}

#[derive(Template)]
#[template(path = "developer/page.html")]
struct TokensPage {
    layout: Layout,
    tabs: Tabs,
    switch: ApiSwitch,
    api_notice: String,
    tokens: TokenList,
}

#[derive(Template)]
#[template(path = "developer/member.html")]
struct MemberPage {
    layout: Layout,
    admins: Vec<members::Member>,
}

pub async fn show(
    app: web::Data<App>,
    member: Member,
    query: Query,
) -> std::result::Result<HttpResponse, PageError> {
    if member.role == Role::Member {
        return show_admins(&app, &member).await;
    }
    let asked = Asked::parse(query)?;
    let (team, now, query) = (member.team.id, member.request.now, asked.clone());
    let found = app.read_activity(move |tx| token_query::find(tx, team, &query, Some(now))).await?;
    let page = TokensPage {
        layout: Layout::new(&member, "developer"),
        tabs: Tabs::of(&app, &member, "tokens", found.active).await,
        switch: ApiSwitch::of(&member),
        api_notice: api_switch::refusal_notice(&member),
        tokens: TokenList::of(found, asked, now),
    };
    html(StatusCode::OK, &page)
}

/// Members can't manage tokens, so they see whom to ask.
async fn show_admins(app: &App, member: &Viewer) -> std::result::Result<HttpResponse, PageError> {
    let team = member.team.id;
    let mut admins = app.read(move |tx| members::list(tx, team)).await?;
    admins.retain(|each| each.role() >= Role::Admin);
    admins.sort_by_key(|each| std::cmp::Reverse(each.role()));
    let layout = Layout::new(member, "developer");
    html(StatusCode::OK, &MemberPage { layout, admins })
}
