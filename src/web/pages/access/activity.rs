//! The activity log: who called, and who changed what.

mod filters;
mod menus;
mod sentences;

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, web};
use askama::Template;

use self::filters::{Criteria, Query};
use self::menus::{Choice, ChoiceGroup};
use self::sentences::Fact;
use crate::app::App;
use crate::domain::access::activity::{self, ActivityId, ActivityKind, ActorKind, Record, TokenId};
use crate::domain::access::tokens::{self, Token};
use crate::domain::lists::Window;
use crate::domain::people::members;
use crate::domain::{Error, Result};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::format::When;
use crate::web::pages::guards::Admin;
use crate::web::pages::layout::Layout;
use crate::web::pages::{FormErrors, html};
use crate::web::paths;

const PAGE_SIZE: i64 = 50;
/// Tokens in the filter's menu, of the active and of the revoked ones each.
const MAX_TOKENS: i64 = 100;

#[derive(Template)]
#[template(path = "activity/page.html")]
struct ActivityPage<'a> {
    layout: Layout,
    list: &'a List,
}

/// The fragment that htmx swaps.
#[derive(Template)]
#[template(path = "activity/_list.html")]
struct ListFragment<'a> {
    list: &'a List,
}

struct List {
    query: Query,
    errors: FormErrors,
    filters_are_valid: bool,
    kinds: Vec<ChoiceGroup>,
    people: Vec<Choice>,
    tokens: Vec<Choice>,
    rows: Vec<Row>,
    /// Empty on the last page.
    older: String,
    /// Empty on the first page.
    newest: String,
}

#[derive(Template)]
#[template(path = "activity/record.html")]
struct RecordPage {
    layout: Layout,
    row: Row,
    facts: Vec<Fact>,
    agent: String,
    request: String,
    count: i32,
    person: String,
}

struct Row {
    id: String,
    kind: ActivityKind,
    at: When,
    what: String,
    status: Option<u16>,
    duration: String,
    who: String,
    token: Option<TokenRef>,
    /// The token acted; it is not what was changed.
    by_token: bool,
    ip: String,
}

struct TokenRef {
    id: String,
    name: String,
    start: String,
}

pub async fn list(
    app: web::Data<App>,
    admin: Admin,
    Htmx(by_htmx): Htmx,
    query: web::Query<Query>,
) -> std::result::Result<HttpResponse, PageError> {
    let query = query.into_inner();
    let address = query.address();
    let (status, list) = match query.parse() {
        Ok(criteria) => {
            (StatusCode::OK, load(&app, &admin, query, Some(criteria), FormErrors::default()).await?)
        }
        Err(error) => {
            let (status, errors) = FormErrors::of(error)?;
            (status, load(&app, &admin, query, None, errors).await?)
        }
    };
    if !by_htmx {
        let layout = Layout::new(&admin, "activity");
        return html(status, &ActivityPage { layout, list: &list });
    }
    let mut response = html(status, &ListFragment { list: &list })?;
    let address = HeaderValue::try_from(address).map_err(PageError::fault)?;
    response.headers_mut().insert(HeaderName::from_static("hx-push-url"), address);
    Ok(response)
}

async fn load(
    app: &App,
    admin: &Admin,
    query: Query,
    criteria: Option<Criteria>,
    errors: FormErrors,
) -> Result<List> {
    let (team, filters_are_valid) = (admin.team.id, criteria.is_some());
    let (people, tokens, page, named) = app
        .read_activity(move |tx| {
            let people = members::list(tx, team)?;
            let mut tokens = tokens::list(tx, team, &tokens::Filter::ACTIVE, Window::first(MAX_TOKENS))?.rows;
            tokens.extend(tokens::list(tx, team, &tokens::Filter::REVOKED, Window::first(MAX_TOKENS))?.rows);
            let Some(Criteria { filter, before }) = criteria else {
                return Ok::<_, Error>((people, tokens, None, Vec::new()));
            };
            let page = activity::list(tx, team, &filter, Window::below(before, PAGE_SIZE))?;
            let ids: Vec<TokenId> = page.rows.iter().filter_map(|record| record.token_id).collect();
            let named = tokens::find_all(tx, team, &ids)?;
            Ok((people, tokens, Some(page), named))
        })
        .await?;
    let named = by_id(named);
    let (records, next) = page.map_or_else(Default::default, |page| (page.rows, page.next));
    Ok(List {
        kinds: menus::kinds(&query.kind),
        people: menus::people(&people, &query.person),
        tokens: menus::tokens(&tokens, &query.token),
        rows: records.iter().map(|record| Row::of(record, &named)).collect(),
        older: next.map(|id| query.before(id)).unwrap_or_default(),
        newest: if query.before.is_empty() { String::new() } else { query.newest() },
        query,
        errors,
        filters_are_valid,
    })
}

pub async fn show(
    app: web::Data<App>,
    admin: Admin,
    id: web::Path<ActivityId>,
) -> std::result::Result<HttpResponse, PageError> {
    let id = id.into_inner();
    let team = admin.team.id;
    let (record, tokens) = app
        .read_activity(move |tx| {
            let record = activity::find(tx, team, id)?;
            let tokens = tokens::find_all(tx, team, record.token_id.as_slice())?;
            Ok::<_, Error>((record, tokens))
        })
        .await?;
    html(
        StatusCode::OK,
        &RecordPage {
            layout: Layout::new(&admin, "activity"),
            row: Row::of(&record, &by_id(tokens)),
            facts: sentences::facts(&record),
            request: record.request().map(|id| id.to_string()).unwrap_or_default(),
            agent: record.agent.unwrap_or_default(),
            count: record.count,
            person: record.person_id.map(|id| id.to_string()).unwrap_or_default(),
        },
    )
}

fn by_id(tokens: Vec<Token>) -> HashMap<TokenId, Token> {
    tokens.into_iter().map(|token| (token.id, token)).collect()
}

impl Row {
    fn of(record: &Record, tokens: &HashMap<TokenId, Token>) -> Self {
        let token = record.token_id.and_then(|id| tokens.get(&id)).map(TokenRef::of);
        Self {
            id: record.id.to_string(),
            kind: record.kind,
            at: When(record.at),
            what: sentences::sentence(record),
            status: record.status.and_then(|status| u16::try_from(status).ok()),
            duration: record.duration_us.map(sentences::milliseconds).unwrap_or_default(),
            who: record.actor_label.clone().unwrap_or_else(|| "a token".into()),
            token,
            by_token: record.actor_kind == ActorKind::Token,
            ip: record.ip.clone().unwrap_or_default(),
        }
    }

    fn is_call(&self) -> bool {
        self.kind.is_call()
    }
}

impl TokenRef {
    fn of(token: &Token) -> Self {
        Self { id: token.id.to_string(), name: token.name.clone(), start: token.start.clone() }
    }
}
