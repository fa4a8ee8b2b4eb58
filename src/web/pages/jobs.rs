//! Background jobs that concern the team, for its owner.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use crate::app::jobs::registry;
use crate::domain::jobs::{Filter, JobId, Kind, QueuedJob, State, review};
use crate::domain::lists::Page;
use crate::domain::mailroom::domain_checks;
use crate::domain::mailroom::mail_domains::{self, Domain};
use crate::web::htmx::Htmx;
use crate::web::pages::list::{List, ListQuery, chosen, filters};
use crate::web::pages::{Answer, Badge, Confirmation, Layout, Notice, Owner, PageError, see_other_with};
use crate::web::paths;
use crate::web::route::{PageRoute, page};

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::JOBS).get(list),
        page(paths::JOB_RETRY).get(ask_retry).post(retry),
        page(paths::JOB_DROP).get(ask_drop).post(drop),
    ]
}

filters!(Filters at paths::JOBS => state);

#[derive(Template)]
#[template(path = "jobs/page.html", blocks = ["list"])]
struct JobsPage {
    layout: Layout,
    filters: Filters,
    list: List<Row>,
}

#[derive(Template)]
#[template(path = "jobs/_retry.html")]
struct Retry<'a> {
    question: &'a Confirmation,
    row: &'a Row,
}

struct Row {
    label: String,
    /// After how many attempts it fails for good.
    most: i32,
    /// What it concerns.
    domain: Option<Domain>,
    job: QueuedJob,
}

impl Row {
    fn of(job: QueuedJob, kinds: &[Kind], domains: &[Domain]) -> Self {
        let kind = kinds.iter().find(|kind| kind.name == job.kind);
        let domain = domain_checks::domain_of(&job);
        Self {
            label: kind.map_or(job.kind.as_str(), |kind| kind.label).to_owned(),
            most: kind.map_or(0, |kind| kind.retry.attempts),
            domain: domains.iter().find(|each| Some(each.id) == domain).cloned(),
            job,
        }
    }

    async fn load(owner: &Owner, id: JobId) -> Result<Self, PageError> {
        let (job, domains) = owner
            .read(move |tx, team| Ok((review::find_of(tx, team, id)?, mail_domains::list(tx, team)?)))
            .await?;
        Ok(Self::of(job, &registry().kinds(), &domains))
    }

    fn badge(&self) -> Badge {
        match self.job.state() {
            State::Waiting => ("off", "Waiting"),
            State::Running => ("success", "Running"),
            State::Failed => ("warning", "Retrying"),
            State::Dead => ("danger", "Failed"),
        }
    }

    /// With the domain, if it concerns one.
    fn name(&self) -> String {
        match &self.domain {
            Some(domain) => format!("{}: {}", self.label, domain.name),
            None => self.label.clone(),
        }
    }

    fn menu_id(&self) -> String {
        format!("{}-menu", self.job.id)
    }

    fn is_running(&self) -> bool {
        self.job.state() == State::Running
    }

    /// The action that runs it now.
    fn retries(&self) -> &'static str {
        match self.job.state() {
            State::Waiting | State::Running => "Run now",
            State::Failed | State::Dead => "Retry",
        }
    }
}

impl JobsPage {
    async fn load(owner: &Owner, asked: ListQuery<Filters>) -> Result<Self, PageError> {
        let (state, window) = (chosen(&asked.filters.state, State::parse)?, asked.window(JobId::parse)?);
        let found = owner.read(move |tx, team| {
            let filter = Filter { team: Some(team), state, ..Filter::default() };
            let domains = mail_domains::list(tx, team)?;
            Ok((review::list(tx, &filter, window)?, review::count(tx, &filter)?, domains))
        });
        let (found, count, domains) = found.await?;
        let kinds = registry().kinds();
        let rows = found.rows.into_iter().map(|job| Row::of(job, &kinds, &domains)).collect();
        let list = List::of(&asked, (Page { rows, next: found.next }, count));
        Ok(Self { layout: Layout::new(owner, "settings"), list, filters: asked.filters })
    }
}

async fn list(owner: Owner, htmx: Htmx, asked: ListQuery<Filters>) -> Answer {
    let page = JobsPage::load(&owner, asked).await?;
    page.list.answer(htmx, &page, &page.as_list())
}

fn question(owner: &Owner, row: &Row, title: &'static str, action: String) -> Confirmation {
    let mut question = Confirmation::new(owner, "settings", title, action);
    question.about("Background jobs", paths::JOBS.to_string());
    question.heading = format!("{title}?");
    if row.is_running() {
        question.refuse("This job is running. Try again when it has ended.");
    }
    question
}

async fn ask_retry(owner: Owner, htmx: Htmx, id: Path<JobId>) -> Answer {
    let row = Row::load(&owner, *id).await?;
    let title = if row.retries() == "Retry" { "Retry job" } else { "Run job now" };
    let question = question(&owner, &row, title, paths::JOB_RETRY.of(*id));
    if row.is_running() {
        return question.ask(htmx, &owner);
    }
    question.ask_in(&Retry { question: &question, row: &row }, htmx, &owner, StatusCode::OK)
}

async fn retry(owner: Owner, id: Path<JobId>) -> Answer {
    let kinds = registry().kinds();
    owner.write(move |tx, actor, team| review::retry(tx, actor, Some(team), *id, &kinds)).await?;
    Ok(see_other_with(paths::JOBS, Notice::JobRetried))
}

async fn ask_drop(owner: Owner, htmx: Htmx, id: Path<JobId>) -> Answer {
    let row = Row::load(&owner, *id).await?;
    let mut question = question(&owner, &row, "Drop job", paths::JOB_DROP.of(*id));
    if !row.is_running() {
        question.explain(format!("{}. It won't run, and it disappears from this list.", row.name()));
    }
    if let Some(domain) = &row.domain {
        question.explain(format!("The next regular check of {} isn't affected.", domain.name));
    }
    question.ask(htmx, &owner)
}

async fn drop(owner: Owner, id: Path<JobId>) -> Answer {
    let kinds = registry().kinds();
    owner.write(move |tx, actor, team| review::drop(tx, actor, Some(team), *id, &kinds)).await?;
    Ok(see_other_with(paths::JOBS, Notice::JobDropped))
}
