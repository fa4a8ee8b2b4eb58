//! Home shows incoming mail, the health of the API, and problems that need attention. Until a team has completed the
//! setup steps, it starts with them.

mod attention;
mod figures;
mod setup;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use self::attention::AttentionItem;
use self::figures::{CallFigures, MailFigures, busiest_aliases, busiest_tokens};
use self::setup::Setup;
use crate::domain::access::usage::Period;
use crate::domain::home::{self, Home};
use crate::domain::people::roles::Role;
use crate::web::htmx::Htmx;
use crate::web::pages::access::activity::Row;
use crate::web::pages::charts::{Chart, PeriodChoice, Ranked};
use crate::web::pages::list::chosen;
use crate::web::pages::{Answer, Badge, Layout, Member, PageError, html};
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

/// The maximum number of problems listed.
const MAX_PROBLEMS: usize = 6;

#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Query {
    period: String,
    /// The number of steps that the polling page shows as done.
    done: String,
}

#[derive(Template)]
#[template(path = "home/page.html")]
struct HomePage {
    layout: Layout,
    title: String,
    lead: String,
    setup: Option<Setup>,
    /// Whether there is any mail or request to show.
    has_data: bool,
    mail: MailFigures,
    calls: Option<CallFigures>,
    periods: Vec<PeriodChoice>,
    attention: Vec<AttentionItem>,
    more_problems: usize,
    aliases: Vec<Ranked>,
    tokens: Vec<Ranked>,
    domains: Vec<DomainRow>,
    recent: Vec<Row>,
}

struct DomainRow {
    address: String,
    name: String,
    state: Badge,
}

pub async fn show(member: Member, htmx: Htmx, site: web::Data<Site>, query: web::Query<Query>) -> Answer {
    let period = chosen(&query.period, Period::parse)?.unwrap_or_default();
    let page = HomePage::load(&member, &site, period).await?;
    let is_known = |setup: &Setup| setup.done.to_string() == query.done;
    if htmx.0 && page.setup.as_ref().is_some_and(is_known) {
        return Ok(HttpResponse::NoContent().finish());
    }
    html(StatusCode::OK, &page)
}

impl HomePage {
    async fn load(viewer: &Viewer, site: &Site, period: Period) -> Result<Self, PageError> {
        let (app, now, is_admin) = (viewer.app(), viewer.request.now, viewer.role >= Role::Admin);
        let team = viewer.team.id;
        let home = app.read_activity(move |tx| home::load(tx, team, period, now, is_admin)).await?;
        let allowance = app.gate().allowance(&viewer.team, now).await?;
        let has_api = is_admin && allowance.limit > 0;
        let attention = AttentionItem::all(viewer, &home);
        let mail = MailFigures::of(&home.days, viewer.unread);
        let calls = has_api.then(|| CallFigures::of(&home.access.hours, period, allowance, now));
        let setup = Setup::of(viewer, site, &home.facts, has_api);
        let (title, lead) = match &setup {
            Some(setup) => (setup.title(viewer), setup.lead()),
            None => (
                "Home".to_owned(),
                figures::lead(&mail, calls.as_ref(), viewer.team.api_enabled, attention.len()),
            ),
        };
        Ok(Self {
            layout: Layout::new(viewer, "home"),
            title,
            lead,
            has_data: home.facts.has_mail || !home.access.hours.values().all(|calls| calls.total() == 0),
            setup,
            mail,
            calls,
            periods: PeriodChoice::all(paths::HOME, &[], period),
            more_problems: attention.len().saturating_sub(MAX_PROBLEMS),
            attention: attention.into_iter().take(MAX_PROBLEMS).collect(),
            aliases: busiest_aliases(&home.aliases),
            tokens: busiest_tokens(&home.access.tokens),
            domains: domains(viewer, &home),
            recent: home.access.recent.iter().map(Row::of).collect(),
        })
    }

    fn calls_chart(&self) -> Option<&Chart> {
        self.calls.as_ref().map(|calls| &calls.chart)
    }
}

fn domains(viewer: &Viewer, home: &Home) -> Vec<DomainRow> {
    let (host, mail_host) = (&viewer.app().mail_settings().domain, viewer.app().mail_host());
    let shared =
        DomainRow { address: paths::DOMAINS.to_string(), name: host.clone(), state: ("plain", "Shared") };
    let own = home.domains.iter().take(5).map(|domain| DomainRow {
        address: paths::DOMAIN.of(domain.id),
        name: domain.name.clone(),
        state: match attention::not_receiving(domain, &mail_host).filter(|_| domain.is_active()) {
            Some(_) => ("danger", "Not receiving"),
            None => domain.badge(),
        },
    });
    own.chain([shared]).collect()
}
