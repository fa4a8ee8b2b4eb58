//! Retention removes only old calls from the log.

use std::time::Duration;

use gatepost::app::jobs::{Running, Unfinished, registry, run_due};
use gatepost::app::retention;
use gatepost::domain::Timestamp;
use gatepost::domain::access::activity::{self, ActivityId, ActivityKind, Filter, Record};
use gatepost::domain::jobs;
use gatepost::domain::lists::Window;

use crate::support::{TestApp, both_engines};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn before(app: &TestApp) -> Timestamp {
    app.app.now().minus(time::Duration::days(90))
}

async fn sweep(app: &TestApp) -> usize {
    retention::sweep(&app.app, before(app), &Running::unstoppable()).await.expect("a sweep")
}

fn calls(app: &TestApp) -> i64 {
    app.database.number("SELECT COUNT(*) AS n FROM activity WHERE kind IN ('api.request', 'api.refused')")
}

fn changes(app: &TestApp) -> i64 {
    app.database.number("SELECT COUNT(*) AS n FROM activity WHERE kind NOT IN ('api.request', 'api.refused')")
}

fn newest_call(app: &TestApp, team: &str) -> Record {
    let team = app.team(team).id;
    let filter = Filter { kinds: Some(ActivityKind::CALLS.to_vec()), ..Filter::default() };
    let page = app.app.read_now(|tx| activity::list(tx, team, &filter, Window::first(1))).expect("a page");
    page.rows.into_iter().next().expect("a call")
}

/// Adds copies of this call, one second apart.
fn repeat(app: &TestApp, call: &Record, times: u64) {
    let copies: Vec<Record> = (1..=times)
        .map(|number| {
            let at = call.at.plus(time::Duration::seconds(number as i64));
            Record { id: ActivityId::new(at, number.to_be_bytes()), at, request_id: None, ..call.clone() }
        })
        .collect();
    app.operate(|tx, _| activity::append(tx, &copies));
}

async fn call(app: &TestApp, team: &str, token: &str, status: u16) {
    app.switch_api(team, status == 200);
    app.api(token).get("/api/v1/me").await.expect(status);
}

both_engines! {
    async fn retention_removes_exactly_the_old_calls(app: TestApp) {
        let (acme, globex) = (app.token("Acme", "ci"), app.token("Globex", "ci"));
        call(&app, "Acme", &acme, 200).await;
        repeat(&app, &newest_call(&app, "Acme"), 1200);
        call(&app, "Acme", &acme, 403).await;
        call(&app, "Globex", &globex, 200).await;
        app.clock.advance(DAY * 90);
        // This call is exactly 90 days old, so it is kept.
        assert_eq!(sweep(&app).await, 0);
        app.clock.advance(DAY);
        call(&app, "Acme", &acme, 200).await;
        let changed = changes(&app);
        assert_eq!(calls(&app), 1204);
        assert_eq!(sweep(&app).await, 1203);
        assert_eq!((calls(&app), changes(&app)), (1, changed));
        assert_eq!(sweep(&app).await, 0);
    }

    async fn a_failing_task_does_not_stop_the_others(app: TestApp) {
        call(&app, "Acme", &app.token("Acme", "ci"), 200).await;
        app.operate(|tx, actor| jobs::ensure_recurring(tx, actor, &registry().kinds()));
        let dead = "UPDATE jobs SET died_at = 1 WHERE kind = 'hourly_counts'";
        assert_eq!(app.database.execute(dead), Ok(1));
        app.clock.advance(DAY * 100);
        app.app.gate().flush().await;
        app.database.execute("ALTER TABLE retention RENAME TO gone").expect("a task that fails");
        run_due(&app.app, registry()).await.expect("jobs");
        assert_eq!(calls(&app), 1);
        assert_eq!(app.count("jobs WHERE died_at IS NOT NULL"), 0, "dead jobs are removed anyway");
        assert_eq!(app.count("jobs WHERE kind = 'retention' AND error LIKE 'An internal error %'"), 1);
    }

    async fn only_retention_can_remove_calls(app: TestApp) {
        call(&app, "Acme", &app.token("Acme", "ci"), 200).await;
        repeat(&app, &newest_call(&app, "Acme"), 3);
        app.clock.advance(DAY * 100);
        let (calls_before, changes_before) = (calls(&app), changes(&app));
        let refused_all = || {
            for sql in [
                "DELETE FROM activity",
                "DELETE FROM activity WHERE kind = 'api.request'",
                "DELETE FROM activity WHERE kind = 'team.founded'",
                "UPDATE activity SET kind = 'api.request'",
            ] {
                let refused = app.database.execute(sql).expect_err(sql);
                assert!(refused.contains("activity is append-only"), "{sql}: {refused}");
            }
        };
        refused_all();
        // The trigger's exception ends with the transaction.
        let left_open = app.database.execute("UPDATE retention SET before = 9000000000000000");
        assert!(left_open.is_err(), "{left_open:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) AS n FROM retention WHERE before IS NOT NULL"), 0);
        let stopped = retention::sweep(&app.app, before(&app), &Running::stopping()).await;
        assert!(matches!(stopped, Err(Unfinished::Stopped)), "{stopped:?}");
        refused_all();
        assert_eq!((calls(&app), changes(&app)), (calls_before, changes_before));
        assert_eq!(sweep(&app).await, 4);
        assert!(app.database.execute("DELETE FROM activity").is_err());
        assert_eq!((calls(&app), changes(&app)), (0, changes_before));
    }

    async fn calls_continue_during_retention(app: TestApp) {
        let token = app.token("Acme", "ci");
        call(&app, "Acme", &token, 200).await;
        repeat(&app, &newest_call(&app, "Acme"), 3000);
        app.clock.advance(DAY * 100);
        let (heart, before) = (app.app.clone(), before(&app));
        let sweeping = tokio::spawn(async move {
            retention::sweep(&heart, before, &Running::unstoppable()).await
        });
        for _ in 0..50 {
            app.api(&token).get("/api/v1/me").await.expect(200);
        }
        assert_eq!(sweeping.await.expect("its end").expect("a sweep"), 3001);
        assert_eq!(calls(&app), 50);
    }
}
