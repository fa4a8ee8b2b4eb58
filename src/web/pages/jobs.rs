//! Background jobs that concern the team, for its owner.

use actix_web::web::Path;
use askama::Template;

use crate::app::jobs::registry;
use crate::domain::jobs::{Filter, JobId, Kind, QueuedJob, State, review};
use crate::domain::lists::Page;
use crate::web::htmx::Htmx;
use crate::web::pages::list::{List, ListQuery, chosen, filters};
use crate::web::pages::{Answer, Badge, Layout, Notice, Owner, PageError, see_other_with};
use crate::web::paths;
use crate::web::route::{PageRoute, page};

pub fn routes() -> Vec<PageRoute> {
    vec![page(paths::JOBS).get(list), page(paths::JOB_RETRY).post(retry)]
}

filters!(Filters at paths::JOBS => state);

#[derive(Template)]
#[template(path = "jobs/page.html", blocks = ["list"])]
struct JobsPage {
    layout: Layout,
    filters: Filters,
    list: List<Row>,
}

struct Row {
    label: String,
    job: QueuedJob,
}

impl Row {
    fn of(job: QueuedJob, kinds: &[Kind]) -> Self {
        let kind = kinds.iter().find(|kind| kind.name == job.kind);
        Self { label: kind.map_or(job.kind.as_str(), |kind| kind.label).to_owned(), job }
    }

    fn badge(&self) -> Badge {
        match self.job.state() {
            State::Waiting => ("off", "Waiting"),
            State::Running => ("success", "Running"),
            State::Failed => ("warning", "Failed, retrying"),
            State::Dead => ("danger", "Failed"),
        }
    }

    /// The label of the button that runs it now, unless it is running.
    fn button(&self) -> Option<&'static str> {
        match self.job.state() {
            State::Running => None,
            State::Waiting => Some("Run now"),
            State::Failed | State::Dead => Some("Retry"),
        }
    }
}

impl JobsPage {
    async fn load(owner: &Owner, asked: ListQuery<Filters>) -> Result<Self, PageError> {
        let (state, window) = (chosen(&asked.filters.state, State::parse)?, asked.window(JobId::parse)?);
        let found = owner.read(move |tx, team| {
            let filter = Filter { team: Some(team), state, ..Filter::default() };
            Ok((review::list(tx, &filter, window)?, review::count(tx, &filter)?))
        });
        let (found, count) = found.await?;
        let kinds = registry().kinds();
        let rows = found.rows.into_iter().map(|job| Row::of(job, &kinds)).collect();
        let list = List::of(&asked, (Page { rows, next: found.next }, count));
        Ok(Self { layout: Layout::new(owner, "settings"), list, filters: asked.filters })
    }
}

async fn list(owner: Owner, htmx: Htmx, asked: ListQuery<Filters>) -> Answer {
    let page = JobsPage::load(&owner, asked).await?;
    page.list.answer(htmx, &page, &page.as_list())
}

async fn retry(owner: Owner, id: Path<JobId>) -> Answer {
    let kinds = registry().kinds();
    owner.write(move |tx, actor, team| review::retry(tx, actor, Some(team), *id, &kinds)).await?;
    Ok(see_other_with(paths::JOBS, Notice::JobRetried))
}
