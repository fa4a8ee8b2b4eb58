//! One token: its page, and revoking it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::activity::Row as RecordRow;
use super::token_list::Row;
use crate::app::App;
use crate::domain::access::activity::{self, ActivityKind, Filter, Usage};
use crate::domain::access::tokens::{self, TokenId};
use crate::domain::access::usage::{self, Grouped, Hours, Outcomes, Period};
use crate::domain::lists::Window;
use crate::domain::{Error, Result, Timestamp};
use crate::web::htmx::Htmx;
use crate::web::pages::charts::{self, Chart, Meter, PeriodChoice};
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Admin;
use crate::web::pages::layout::Layout;
use crate::web::pages::list::chosen;
use crate::web::pages::notice::Notice;
use crate::web::pages::{Confirmation, FormErrors, html, see_other_with};
use crate::web::paths::{self, with_query};
use crate::web::viewer::Viewer;

const RECENT_REQUESTS: i64 = 20;
const RECENT_CHANGES: i64 = 10;
/// In pixels.
const CHART_HEIGHT: u16 = 188;

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Query {
    period: String,
    status: String,
}

/// Filters requests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    #[default]
    All,
    Succeeded,
    Refused,
    Failed,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::All, Self::Succeeded, Self::Refused, Self::Failed];

    const fn as_str(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Succeeded => "2xx",
            Self::Refused => "4xx",
            Self::Failed => "5xx",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Succeeded => "Succeeded",
            Self::Refused => "Refused",
            Self::Failed => "Failed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.as_str() == text)
    }

    /// The first digit of the status.
    const fn digit(self) -> Option<i16> {
        match self {
            Self::All => None,
            Self::Succeeded => Some(2),
            Self::Refused => Some(4),
            Self::Failed => Some(5),
        }
    }
}

struct OutcomeChoice {
    name: &'static str,
    address: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "developer/token.html")]
struct TokenPage {
    layout: Layout,
    token: Row,
    /// Requests in 24 hours, 7 days and 30 days.
    calls: [String; 3],
    /// Requests in the current hour, as a share of the limit.
    hour: Meter,
    used: Grouped,
    limit: Grouped,
    periods: Vec<PeriodChoice>,
    chart: Chart,
    outcome: Outcome,
    outcomes: Vec<OutcomeChoice>,
    requests: Vec<RecordRow>,
    changes: Vec<RecordRow>,
}

pub async fn show(
    app: web::Data<App>,
    admin: Admin,
    path: web::Path<TokenId>,
    query: web::Query<Query>,
) -> std::result::Result<HttpResponse, PageError> {
    let (id, team, now) = (path.into_inner(), admin.team.id, admin.request.now);
    let period = chosen(&query.period, Period::parse)?.unwrap_or_default();
    let outcome = chosen(&query.status, Outcome::parse)?.unwrap_or_default();
    let read = app.read_activity(move |tx| -> Result<_> {
        let token = tokens::find(tx, team, id)?;
        let hours = usage::hours(tx, team, Some(id), Period::Month.start(now), now)?;
        let of = |kinds: Vec<ActivityKind>, status| Filter {
            kinds: Some(kinds),
            token: Some(id),
            status,
            ..Filter::default()
        };
        let requests = of(ActivityKind::CALLS.to_vec(), outcome.digit());
        let requests = activity::list_named(tx, team, &requests, Window::first(RECENT_REQUESTS))?.rows;
        let changes = of(ActivityKind::ALL.iter().copied().filter(|kind| !kind.is_call()).collect(), None);
        let changes = activity::list_named(tx, team, &changes, Window::first(RECENT_CHANGES))?.rows;
        Ok((token, hours, requests, changes))
    });
    let (token, hours, requests, changes) = read.await?;
    let allowance = app.gate().allowance(&admin.team, now).await?;
    let this_hour = hours.get(&usage::hour_of(now)).copied().unwrap_or_default();
    let limit =
        token.hourly_cap.map_or(allowance.limit.into(), |cap| i64::from(cap).min(allowance.limit.into()));
    let rows = |records: Vec<activity::Named>| records.iter().map(RecordRow::of).collect();
    let page = TokenPage {
        layout: Layout::new(&admin, "developer"),
        calls: Period::ALL.map(|period| since(&hours, period.start(now))),
        hour: Meter::of_limit(this_hour.total(), limit, "requests used"),
        used: Grouped(this_hour.total()),
        limit: Grouped(limit),
        periods: periods(id, period, outcome),
        chart: charts::calls("token-chart", period, &period.spans(&hours, now), Some(limit), CHART_HEIGHT),
        outcome,
        outcomes: outcomes(id, period, outcome),
        requests: rows(requests),
        changes: rows(changes),
        token: Row::of(token, now),
    };
    html(StatusCode::OK, &page)
}

fn since(hours: &Hours, from: Timestamp) -> String {
    let calls: Outcomes = hours.range(from..).map(|(_, calls)| *calls).sum();
    let more = if calls.cut_off { "more than " } else { "" };
    format!("{more}{}", Grouped(calls.total()))
}

fn periods(id: TokenId, period: Period, outcome: Outcome) -> Vec<PeriodChoice> {
    let path = paths::TOKEN.of(id);
    PeriodChoice::each(period, |parameters| with_query(&path, parameters), &[("status", outcome.as_str())])
}

fn outcomes(id: TokenId, period: Period, chosen: Outcome) -> Vec<OutcomeChoice> {
    let code = if period == Period::default() { "" } else { period.as_str() };
    let address = |outcome: Outcome| {
        with_query(&paths::TOKEN.of(id), &[("period", code), ("status", outcome.as_str())])
    };
    let choice = |outcome: Outcome| OutcomeChoice {
        name: outcome.name(),
        address: address(outcome) + "#requests",
        is_chosen: outcome == chosen,
    };
    Outcome::ALL.into_iter().map(choice).collect()
}

/// Shows the consequences before a token is revoked.
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
