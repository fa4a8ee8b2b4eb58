//! Usage: the requests of the current hour against the limit, and charts of the last day, week or month.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::developer::Tabs;
use crate::app::App;
use crate::domain::Result;
use crate::domain::access::tokens;
use crate::domain::access::usage::{self, Grouped, Outcomes, Period, Rankings, Span};
use crate::gate::Allowance;
use crate::web::pages::charts::{self, Chart, Meter, PeriodChoice, Ranked};
use crate::web::pages::error::PageError;
use crate::web::pages::format::{self, When};
use crate::web::pages::guards::Admin;
use crate::web::pages::html;
use crate::web::pages::layout::Layout;
use crate::web::pages::list::chosen;
use crate::web::paths;

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Query {
    period: String,
}

#[derive(Template)]
#[template(path = "developer/usage.html")]
struct UsagePage {
    layout: Layout,
    tabs: Tabs,
    hour: Hour,
    period: Period,
    periods: Vec<PeriodChoice>,
    succeeded: String,
    refused: String,
    failed: String,
    chart: Chart,
    is_quiet: bool,
    tokens: Vec<Ranked>,
    routes: Vec<Ranked>,
    /// The number of requests in which routes were counted, if there were more.
    routes_of: Option<Grouped>,
}

/// The current hour.
struct Hour {
    /// 0 if the plan doesn't include the API.
    limit: i64,
    of: Grouped,
    used: Grouped,
    remaining: Grouped,
    reset: When,
    meter: Meter,
}

impl Hour {
    fn of(allowance: Allowance) -> Self {
        let (limit, remaining) = (i64::from(allowance.limit), i64::from(allowance.remaining));
        let used = limit - remaining;
        Self {
            limit,
            of: Grouped(limit),
            used: Grouped(used),
            remaining: Grouped(remaining),
            reset: When(allowance.reset),
            meter: Meter::of_limit(used, limit, "requests used"),
        }
    }

    /// `10:00 UTC`
    fn resets_at(&self) -> String {
        format!("{} UTC", format::clock(self.reset.0))
    }
}

pub async fn show(
    app: web::Data<App>,
    admin: Admin,
    query: web::Query<Query>,
) -> std::result::Result<HttpResponse, PageError> {
    let period = chosen(&query.period, Period::parse)?.unwrap_or_default();
    let (team, now) = (admin.team.id, admin.request.now);
    let read = app.read_activity(move |tx| -> Result<_> {
        let active = tokens::tallies(tx, team)?.active;
        Ok((active, usage::of_team(tx, team, period, now)?, usage::rankings(tx, team, period, now)?))
    });
    let (active, spans, rankings) = read.await?;
    let hour = Hour::of(app.gate().allowance(&admin.team, now).await?);
    let tabs = Tabs::of(&app, &admin, "usage", active).await;
    let page = UsagePage::of(Layout::new(&admin, "developer"), tabs, hour, (period, &spans), rankings);
    html(StatusCode::OK, &page)
}

impl UsagePage {
    fn of(
        layout: Layout,
        tabs: Tabs,
        hour: Hour,
        (period, spans): (Period, &[Span]),
        rankings: Rankings,
    ) -> Self {
        let Rankings { tokens, routes, routes_are_cut_off } = rankings;
        let tokens = tokens.into_iter().map(|(id, name, calls)| (name, paths::TOKEN.of(id), calls));
        let sum: Outcomes = spans.iter().map(|span| span.calls).sum();
        let count = |calls: i64| {
            let more = if sum.cut_off { "more than " } else { "" };
            format!("{more}{}", Grouped(calls))
        };
        Self {
            layout,
            tabs,
            period,
            periods: PeriodChoice::all(paths::DEVELOPER_USAGE, &[], period),
            succeeded: count(sum.succeeded),
            refused: count(sum.all_refused()),
            failed: count(sum.failed),
            tokens: Ranked::all(tokens, "requests"),
            routes: endpoints(routes),
            routes_of: routes_are_cut_off.then_some(Grouped(usage::ROUTES_OF)),
            chart: charts::calls("usage-chart", period, spans, Some(hour.limit), 188),
            is_quiet: sum.total() == 0,
            hour,
        }
    }
}

/// Of method, route and calls.
fn endpoints(routes: Vec<(String, String, i64)>) -> Vec<Ranked> {
    let rows = routes.iter().map(|(_, route, calls)| (route.clone(), String::new(), *calls));
    let ranked = Ranked::all(rows, "requests");
    ranked.into_iter().zip(routes).map(|(row, (method, ..))| Ranked { method, ..row }).collect()
}
