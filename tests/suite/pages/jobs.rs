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
        assert!(row.contains("acme.test") && row.contains("10 of 10"), "{row}");
        let asked = ada.get(&format!("/jobs/{id}/retry")).await.expect(200).page().whole_text();
        assert!(asked.contains("Check a domain's DNS records: acme.test") && asked.contains("out of reach"), "{asked}");
        let retried = ada.post(&format!("/jobs/{id}/retry"), &[]).await.expect(303);
        assert_eq!((retried.location(), retried.notice().as_str()), ("/jobs", "job-retried"));
        let page = ada.get("/jobs").await.expect(200).page();
        assert!(page.text("tbody tr").contains("Waiting"));
        assert!(ada.get("/jobs?state=dead").await.expect(200).page().texts("tbody tr").is_empty());
        assert_eq!(app.count("activity WHERE kind = 'job.retried' AND actor_kind = 'person'"), 1);
    }

    async fn an_owner_drops_a_job(app: TestApp) {
        let (ada, dan, id) = (app.as_(Ada).await, app.as_(Dan).await, dead_job(&app));
        let drop = format!("/jobs/{id}/drop");
        dan.get(&drop).await.expect(404);
        dan.post(&drop, &[]).await.expect(404);
        let asked = ada.get(&drop).await.expect(200).page().whole_text();
        assert!(asked.contains("The next regular check of acme.test isn't affected."), "{asked}");
        let dropped = ada.post(&drop, &[]).await.expect(303);
        assert_eq!((dropped.location(), dropped.notice().as_str()), ("/jobs", "job-dropped"));
        assert!(ada.get("/jobs").await.expect(200).page().has(".empty"));
        assert_eq!(app.count("activity WHERE kind = 'job.dropped' AND actor_kind = 'person'"), 1);
        ada.get(&drop).await.expect(404);
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
        assert!(!ada.get("/jobs").await.expect(200).page().has("tbody .menu"));
        for question in ["retry", "drop"] {
            let page = ada.get(&format!("/jobs/{id}/{question}")).await.expect(200).page();
            assert!(page.whole_text().contains("This job is running."));
            assert!(!page.has(".dialog .button-primary"), "{question}");
            ada.post(&format!("/jobs/{id}/{question}"), &[]).await.expect(409);
        }
    }
}
