//! The page of background jobs for a team's owner.

use gatepost::domain::jobs::{self, Filter, JobId, review};
use gatepost::domain::lists::Window;
use gatepost::domain::mailroom::address::DomainName;
use gatepost::domain::mailroom::domain_checks::CheckDomain;
use gatepost::domain::mailroom::mail_domains;

use crate::support::people::Person::{Ada, Bea, Dan};
use crate::support::{TestApp, both_engines};

/// Adds a dead check of Acme's domain.
fn dead_job(app: &TestApp) -> JobId {
    let (team, name) = (app.team("Acme").id, DomainName::parse("acme.test").expect("a name"));
    app.operate(|tx, actor| {
        let domain = mail_domains::add(tx, actor, team, "gatepost.localhost", &name)?.id;
        jobs::enqueue(tx, actor, &CheckDomain { team, domain })
    });
    let dead = "UPDATE jobs SET attempts = 10, error = 'the store was <b>out of reach</b>', failed_at = 1, died_at = 1";
    assert_eq!(app.database.execute(dead), Ok(1));
    app.operate(|tx, _| review::list(tx, &Filter::default(), Window::first(1))).rows[0].id
}

both_engines! {
    async fn an_owner_sees_why_a_job_failed_and_retries_it(app: TestApp) {
        let ada = app.as_(Ada).await;
        assert!(ada.get("/jobs").await.expect(200).page().has(".empty"));
        let id = dead_job(&app);
        let page = ada.get("/jobs?state=dead").await.expect(200).page();
        assert_eq!(page.texts("tbody tr").len(), 1);
        let row = page.text("tbody tr");
        assert!(row.contains("Check a domain's DNS records") && row.contains("the store was <b>out of reach</b>"), "{row}");
        let retried = ada.post(&format!("/jobs/{id}/retry"), &[]).await.expect(303);
        assert_eq!((retried.location(), retried.notice().as_str()), ("/jobs", "job-retried"));
        let page = ada.get("/jobs").await.expect(200).page();
        assert!(page.text("tbody tr").contains("Waiting"));
        assert!(ada.get("/jobs?state=dead").await.expect(200).page().texts("tbody tr").is_empty());
        assert_eq!(app.count("activity WHERE kind = 'job.retried' AND actor_kind = 'person'"), 1);
    }

    async fn only_the_owner_of_the_team_sees_its_jobs(app: TestApp) {
        let retry = format!("/jobs/{}/retry", dead_job(&app));
        let (bea, dan) = (app.as_(Bea).await, app.as_(Dan).await);
        bea.get("/jobs").await.expect(403);
        bea.post(&retry, &[]).await.expect(403);
        assert!(dan.get("/jobs").await.expect(200).page().has(".empty"));
        dan.post(&retry, &[]).await.expect(404);
        assert_eq!(app.count("activity WHERE kind = 'job.retried'"), 0);
    }

    async fn a_running_job_cannot_be_retried(app: TestApp) {
        let id = dead_job(&app);
        let running = "UPDATE jobs SET died_at = NULL, leased_until = 9000000000000000, worker = id";
        assert_eq!(app.database.execute(running), Ok(1));
        let ada = app.as_(Ada).await;
        assert!(!ada.get("/jobs").await.expect(200).page().has("tbody button"));
        ada.post(&format!("/jobs/{id}/retry"), &[]).await.expect(409);
    }
}
