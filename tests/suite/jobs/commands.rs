//! `gatepost jobs`, with and without a running server.

use serde_json::Value;

use crate::cli::{assert_refused, each_engine, set_up};
use crate::support::database::Database;
use crate::support::process::Gatepost;

pub use crate::cli::PASSWORD;

const ID: &str = "job_00000000000070008000000000000001";

/// A dead job of Acme.
fn add_dead_job(database: &Database) {
    let id = match database {
        Database::Sqlite { .. } => "x'00000000000070008000000000000001'",
        Database::Postgres { .. } => r"'\x00000000000070008000000000000001'::bytea",
    };
    let sql = format!(
        "INSERT INTO jobs (id, kind, queue, team_id, payload, created_at, due_at, attempts, rerun, error,
             failed_at, died_at)
         SELECT {id}, 'test.gone', 'lookups', id, '{{}}', 1, 1, 10, FALSE, 'no luck', 2, 2 FROM teams"
    );
    assert_eq!(database.execute(&sql), Ok(1));
}

fn listed(gatepost: &Gatepost, arguments: &[&str]) -> Vec<String> {
    let printed = gatepost.ok(&[&["jobs", "list", "--json"], arguments].concat(), "");
    let jobs: Vec<Value> = serde_json::from_str(&printed).expect("an array");
    jobs.iter().map(|job| format!("{} {}", job["kind"], job["state"]).replace('"', "")).collect()
}

fn records(database: &Database, kind: &str) -> i64 {
    let of = format!("activity WHERE kind = '{kind}' AND actor_kind = 'operator'");
    database.number(&format!("SELECT count(*) AS n FROM {of}"))
}

#[test]
fn an_operator_lists_retries_and_drops_jobs() {
    each_engine(|gatepost, database| {
        set_up(gatepost);
        assert_eq!(gatepost.ok(&["jobs", "list"], ""), "No jobs.\n");
        add_dead_job(database);
        assert_eq!(listed(gatepost, &[]), ["test.gone dead"]);
        assert_eq!(listed(gatepost, &["--state", "dead", "--kind", "test.gone"]), ["test.gone dead"]);
        assert!(listed(gatepost, &["--state", "waiting"]).is_empty());
        let shown = gatepost.ok(&["jobs", "show", ID], "");
        assert!(shown.contains("no luck") && shown.contains("test.gone"), "{shown}");
        assert!(gatepost.ok(&["jobs", "list"], "").contains("no luck"));
        gatepost.ok(&["jobs", "retry", ID], "");
        assert_eq!(listed(gatepost, &[]), ["test.gone waiting"]);
        gatepost.ok(&["jobs", "drop", ID], "");
        assert!(listed(gatepost, &[]).is_empty());
        assert_eq!((records(database, "job.retried"), records(database, "job.dropped")), (1, 1));
        assert_refused(&gatepost.run(&["jobs", "retry", ID], ""), "there is no job");
        assert_refused(&gatepost.run(&["jobs", "drop", ID], ""), "there is no job");
    });
}

#[test]
fn a_running_server_shows_its_recurring_jobs_and_keeps_them() {
    each_engine(|gatepost, _| {
        set_up(gatepost);
        let serving = gatepost.serve();
        let recurring = ["domains.check_due", "hourly_counts", "index_again", "retention"];
        // The server enqueues them on another thread.
        let mut kinds = Vec::new();
        while kinds != recurring {
            let listed = listed(gatepost, &[]);
            kinds = listed.iter().map(|job| job.split(' ').next().expect("a kind").to_owned()).collect();
            kinds.sort_unstable();
        }
        let printed = gatepost.ok(&["jobs", "list", "--kind", "retention"], "");
        let id = printed.split_whitespace().next().expect("an id");
        assert_refused(&gatepost.run(&["jobs", "drop", id], ""), "recurs");
        let ended = serving.terminate();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(listed(gatepost, &["--state", "running"]).is_empty(), "a job was not released");
    });
}
