use clap::Subcommand;
use serde_json::{Value, json};

use super::{Failure, message_of, or_missing, print_line};
use crate::app::App;
use crate::app::jobs::registry;
use crate::domain::jobs::{Filter, JobId, QueuedJob, State, review};
use crate::domain::lists::Window;

const MAX_LISTED: i64 = 200;

#[derive(Subcommand)]
pub enum JobsCommand {
    /// List jobs, newest first
    List {
        /// waiting, running, failed (will be retried) or dead
        #[arg(long, value_parser = state)]
        state: Option<State>,
        /// For example domains.check
        #[arg(long)]
        kind: Option<String>,
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show one job in full
    Show {
        #[arg(value_name = "JOB", value_parser = id)]
        id: JobId,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Run a waiting, failed or dead job now
    Retry {
        #[arg(value_name = "JOB", value_parser = id)]
        id: JobId,
    },
    /// Remove a job without running it
    Drop {
        #[arg(value_name = "JOB", value_parser = id)]
        id: JobId,
    },
}

fn state(text: &str) -> Result<State, Failure> {
    State::parse(text).ok_or_else(|| "expected waiting, running, failed or dead".into())
}

fn id(text: &str) -> Result<JobId, Failure> {
    JobId::parse(text).ok_or_else(|| "expected a job id from `gatepost jobs list`, like job_…".into())
}

pub fn run(app: &App, command: JobsCommand) -> Result<(), Failure> {
    match command {
        JobsCommand::List { state, kind, json } => {
            list(app, Filter { state, kind, ..Filter::default() }, json)
        }
        JobsCommand::Show { id, json } => show(app, id, json),
        JobsCommand::Retry { id } => {
            let (actor, kinds) = (app.operator(), registry().kinds());
            let retried = app.write_now(|tx| review::retry(tx, &actor, None, id, &kinds));
            retried.map_err(or_missing(no_job(id)))?;
            print_line(&format!("{id} will run within a second if a server is running."))
        }
        JobsCommand::Drop { id } => {
            let (actor, kinds) = (app.operator(), registry().kinds());
            let dropped = app.write_now(|tx| review::drop(tx, &actor, None, id, &kinds));
            dropped.map_err(or_missing(no_job(id)))?;
            print_line(&format!("Dropped {id}."))
        }
    }
}

fn no_job(id: JobId) -> String {
    format!("there is no job {id}. It may be finished")
}

fn list(app: &App, filter: Filter, as_json: bool) -> Result<(), Failure> {
    let page = app.read_now(|tx| review::list(tx, &filter, Window::first(MAX_LISTED)));
    let page = page.map_err(message_of)?;
    if as_json {
        return print_line(&Value::from_iter(page.rows.iter().map(to_json)).to_string());
    }
    page.rows.iter().try_for_each(|job| print_line(&line(job)))?;
    match (page.rows.is_empty(), page.next) {
        (true, _) => print_line("No jobs."),
        (_, Some(_)) => {
            print_line(&format!("These are the newest {MAX_LISTED}. Narrow the list with --state or --kind."))
        }
        _ => Ok(()),
    }
}

fn show(app: &App, id: JobId, as_json: bool) -> Result<(), Failure> {
    let job = app.read_now(|tx| review::find(tx, id)).map_err(or_missing(no_job(id)))?;
    let Value::Object(fields) = to_json(&job) else { return Ok(()) };
    if as_json {
        return print_line(&Value::Object(fields).to_string());
    }
    let fields = fields.iter().filter(|(_, value)| !value.is_null());
    fields
        .map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .try_for_each(|(name, value)| print_line(&format!("{name:<12}{value}")))
}

fn line(job: &QueuedJob) -> String {
    let (state, error) = (job.state().as_str(), job.error.as_deref().unwrap_or_default());
    let line = format!("{}  {state:<7}  {:<18}  due {}  {error}", job.id, job.kind, job.due_at);
    line.trim_end().to_owned()
}

fn to_json(job: &QueuedJob) -> Value {
    json!({
        "id": job.id,
        "kind": job.kind,
        "queue": job.queue,
        "state": job.state().as_str(),
        "team": job.team_id,
        "attempts": job.attempts,
        "createdAt": job.created_at,
        "dueAt": job.due_at,
        "failedAt": job.failed_at,
        "diedAt": job.died_at,
        "error": job.error,
        "payload": serde_json::from_str::<Value>(&job.payload).unwrap_or_default(),
    })
}
