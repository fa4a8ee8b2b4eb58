//! The activity log: who called, and who changed what.

pub(crate) mod export;
mod filters;
mod kinds;
mod menus;
pub(crate) mod record;
mod rows;
mod sentences;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, web};
use askama::Template;

use self::filters::{Criteria, Query, Tab};
use self::menus::{Choice, ChoiceGroup};
use self::rows::Day;
use crate::app::App;
use crate::domain::access::activity::{self, ActivityId, Named, Subject};
use crate::domain::access::usage::{self, Hours, Period};
use crate::domain::lists::{Page, Window};
use crate::domain::{Error, Result};
use crate::web::htmx::Htmx;
use crate::web::pages::charts::{self, Chart};
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Admin;
use crate::web::pages::layout::Layout;
use crate::web::pages::{Answer, FormErrors, html};
use crate::web::paths;

pub(crate) use rows::Row;

const PAGE_SIZE: i64 = 50;
/// The maximum number of tokens in the filter's menu.
const MAX_TOKENS: i64 = 200;

#[derive(Template)]
#[template(path = "activity/page.html")]
struct ActivityPage<'a> {
    layout: Layout,
    list: &'a List,
}

/// The fragment that htmx swaps, with the link to export the records.
#[derive(Template)]
#[template(path = "activity/_fragment.html")]
struct ListFragment<'a> {
    list: &'a List,
}

/// The fragment of a list that refreshes itself.
#[derive(Template)]
#[template(path = "activity/_records.html")]
struct RecordsFragment<'a> {
    list: &'a List,
}

struct List {
    query: Query,
    tab: Tab,
    errors: FormErrors,
    filters_are_valid: bool,
    kinds: Vec<ChoiceGroup>,
    people: Vec<Choice>,
    tokens: Vec<Choice>,
    statuses: Vec<Choice>,
    chart: Option<Chart>,
    days: Vec<Day>,
    /// The newest record.
    known: String,
    /// Empty on the last page.
    older: String,
    /// Empty on the first page.
    newest: String,
}

impl List {
    /// The period of the chart.
    fn charted(&self) -> String {
        match self.query.period() {
            Some(_) => self.query.dates(),
            None => "Last 30 days".to_owned(),
        }
    }

    fn is_of_requests(&self) -> bool {
        self.tab == Tab::Requests
    }
}

struct Found {
    people: Vec<Subject>,
    tokens: Vec<Subject>,
    page: Option<Page<Named, ActivityId>>,
    hours: Option<Hours>,
}

pub async fn list(
    app: web::Data<App>,
    admin: Admin,
    Htmx(by_htmx): Htmx,
    query: web::Query<Query>,
) -> Answer {
    let query = query.into_inner();
    let address = query.address();
    let known = query.known.clone();
    let (status, list) = match query.parse(admin.request.now) {
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
    if !known.is_empty() {
        return match known == list.known {
            true => Ok(HttpResponse::NoContent().finish()),
            false => html(status, &RecordsFragment { list: &list }),
        };
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
    let (team, now, filters_are_valid) = (admin.team.id, admin.request.now, criteria.is_some());
    let (tab, is_counted) = (query.tab(), query.is_counted());
    let read = app.read_activity(move |tx| {
        let (people, tokens) = activity::subjects(tx, team, MAX_TOKENS)?;
        let mut found = Found { people, tokens, page: None, hours: None };
        let Some(Criteria { filter, before }) = criteria else { return Ok(found) };
        found.page = Some(activity::list_named(tx, team, &filter, Window::below(before, PAGE_SIZE))?);
        if is_counted {
            found.hours = Some(usage::hours(tx, team, filter.token, Period::Month.start(now), now)?);
        }
        Ok::<_, Error>(found)
    });
    let Found { people, tokens, page, hours } = read.await?;
    let period = query.period().unwrap_or(Period::Month);
    let chart = |hours: &Hours| {
        let chart = charts::calls("activity-chart", period, &period.spans(hours, now), None, 96);
        chart.has_values().then_some(chart)
    };
    let (records, next) = page.map_or_else(Default::default, |page| (page.rows, page.next));
    let days = Day::all(&records, hours.as_ref(), now);
    Ok(List {
        kinds: menus::changes(&query.kind),
        people: menus::people(&people, &query.person),
        tokens: menus::tokens(&tokens, &query.token),
        statuses: menus::statuses(&query.status),
        chart: hours.as_ref().filter(|_| query.before.is_empty()).and_then(chart),
        days,
        known: records.first().map(|named| named.record.id.to_string()).unwrap_or_else(|| "none".into()),
        older: next.map(|id| query.before(id)).unwrap_or_default(),
        newest: if query.before.is_empty() { String::new() } else { query.newest() },
        tab,
        query,
        errors,
        filters_are_valid,
    })
}
