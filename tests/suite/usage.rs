//! Usage on the Developer page, and a token's own hourly limit.

use std::time::Duration;

use gatepost::app::hourly_counts;
use gatepost::app::jobs::Running;
use gatepost::domain::Timestamp;
use gatepost::domain::access::plans::Plan;
use gatepost::domain::access::usage;

use crate::support::client::{Response, Visitor};
use crate::support::html::Page;
use crate::support::people::Person::{Ada, Bea};
use crate::support::{TestApp, both_engines};

const HOUR: Duration = Duration::from_secs(3600);

async fn call(app: &TestApp, token: &str, times: usize, status: u16) {
    for _ in 0..times {
        app.api(token).get("/api/v1/me").await.expect(status);
    }
}

async fn count(app: &TestApp, until: Timestamp) {
    hourly_counts::count(&app.app, until, &Running::unstoppable()).await.expect("counted hours");
}

/// Hours before `until` without a stored count.
fn uncounted(app: &TestApp, until: Timestamp) -> usize {
    let team = app.team("Acme").id;
    app.app.read_now(|tx| usage::uncounted(tx, team, until)).expect("hours").len()
}

async fn developer(app: &TestApp) -> Page {
    app.as_(Ada).await.get("/developer/usage").await.expect(200).page()
}

/// Returns the path of the newest token's page.
async fn token_page(visitor: &Visitor) -> String {
    visitor
        .get("/developer")
        .await
        .expect(200)
        .page()
        .attribute("#tokens tbody th a", "href")
        .expect("a link")
}

/// The counts of this hour: succeeded, refused, failed.
fn figures(page: &Page) -> Vec<String> {
    page.texts("#usage .stat-value")
}

async fn set_cap(visitor: &Visitor, page: &str, cap: &str) -> Response {
    visitor.post(&format!("{page}/cap"), &[("cap", cap)]).await
}

both_engines! {
    async fn the_page_shows_this_hour_and_the_last_day(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        call(&app, &token, 3, 200).await;
        app.clock.advance(HOUR * 2);
        call(&app, &token, 2, 200).await;
        app.switch_api("Acme", false);
        call(&app, &token, 1, 403).await;
        for _ in 0..2 {
            let page = developer(&app).await;
            assert_eq!(figures(&page), ["2", "5", "1", "0"]);
            assert_eq!(page.texts("#usage .stat-note")[0], "of 1,000 requests. 998 left until 12:00 UTC.");
            let hours = page.texts("#usage tbody th");
            assert_eq!(hours.len(), 24);
            let ends: Vec<_> = hours[..3].iter().filter_map(|hour| hour.split(", ").nth(1)).collect();
            assert_eq!(ends, ["11:00–12:00", "10:00–11:00", "09:00–10:00"]);
            // Succeeded, refused, failed, all.
            assert_eq!(page.texts("#usage tbody td")[..4], ["2", "1", "0", "3"]);
            assert_eq!(page.texts("#usage tbody td")[8..12], ["3", "0", "0", "3"]);
            assert_eq!(page.texts("#usage svg .c-bars .c1").len(), 2);
            assert_eq!(page.texts("#usage svg .c-bars .c2").len(), 1);
            assert_eq!(page.texts("#usage .bar-fact dt"), ["ci", "GET /api/v1/me"]);
            assert_eq!(page.texts("#usage .bar-fact .num"), ["6", "6"]);
            // The second time, past hours are already counted.
            let until = usage::settled(app.app.now());
            count(&app, until).await;
            assert_eq!(uncounted(&app, until), 0);
        }
        app.clock.advance(HOUR * 23);
        assert_eq!(figures(&developer(&app).await), ["0", "2", "1", "0"]);
        app.clock.advance(HOUR);
        let page = developer(&app).await;
        assert!(!page.has("#usage .chart") && page.text("#usage .empty").contains("No requests"));
    }

    async fn past_hours_are_counted_once(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        call(&app, &token, 3, 200).await;
        let hour = usage::hour_of(app.app.now());
        let next = hour.plus(time::Duration::HOUR);
        assert_eq!(usage::settled(next.plus(time::Duration::minutes(9))), hour);
        assert_eq!(usage::settled(next.plus(time::Duration::minutes(10))), next);
        assert_eq!(figures(&developer(&app).await), ["3", "3", "0", "0"]);
        // Earlier than in production, so that later requests show what the page reads.
        count(&app, next).await;
        call(&app, &token, 2, 200).await;
        assert_eq!(figures(&developer(&app).await), ["5", "5", "0", "0"], "it is not over");
        app.clock.advance(HOUR + Duration::from_secs(11 * 60));
        assert_eq!(figures(&developer(&app).await), ["0", "3", "0", "0"]);
        // Counting again changes nothing; a month later, the hour is dropped with the next count.
        count(&app, next).await;
        assert_eq!(uncounted(&app, next), 0);
        let stored = || app.database.number("SELECT count(*) AS n FROM call_counts WHERE succeeded = 3");
        assert_eq!(stored(), 2, "the team's and the token's");
        app.clock.advance(HOUR * 24 * 32);
        call(&app, &token, 1, 200).await;
        count(&app, next.plus(time::Duration::hours(24 * 32))).await;
        assert_eq!(stored(), 0);
    }

    async fn hours_stored_by_a_clock_that_ran_ahead_are_counted_again(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        app.clock.advance(HOUR * 48);
        call(&app, &token, 2, 200).await;
        app.clock.advance(HOUR * 2);
        app.flush().await;
        count(&app, usage::settled(app.app.now())).await;
        let kept = || app.database.number("SELECT count(*) AS n FROM call_counts WHERE succeeded > 0");
        assert_eq!(kept(), 2, "the team's and the token's");
        app.clock.set_back(HOUR * 50);
        count(&app, usage::settled(app.app.now())).await;
        assert_eq!(kept(), 0, "counts of future hours are removed");
        app.clock.advance(HOUR * 48);
        call(&app, &token, 3, 200).await;
        assert_eq!(figures(&developer(&app).await)[1], "5");
    }

    async fn usage_counts_only_the_teams_own_calls(app: TestApp) {
        app.switch_api("Globex", true);
        call(&app, &app.token("Globex", "ci"), 3, 200).await;
        assert_eq!(figures(&developer(&app).await), ["0", "0", "0", "0"]);
        app.set_plan("Acme", Plan::Free);
        assert!(!developer(&app).await.has("#usage .stat-value"));
    }

    async fn a_tokens_own_limit_applies_from_its_next_call(app: TestApp) {
        app.switch_api("Acme", true);
        let (bea, token) = (app.as_(Bea).await, app.token("Acme", "ci"));
        call(&app, &token, 3, 200).await;
        let page = token_page(&bea).await;
        let set = set_cap(&bea, &page, "4").await.expect(303);
        assert_eq!((set.location(), set.notice().as_str()), (page.as_str(), "token-cap-changed"));
        // Earlier requests count.
        let last = app.api(&token).get("/api/v1/me").await.expect(200);
        assert_eq!((last.header("x-ratelimit-limit"), last.header("x-ratelimit-remaining")), ("4", "0"));
        call(&app, &token, 1, 429).await;
        call(&app, &app.token("Acme", "other"), 1, 200).await;
        let shown = bea.get(&page).await.expect(200).page();
        assert!(shown.text(".facts").contains("4 requests, within the team limit"), "{}", shown.text(".facts"));
        let form = bea.get(&format!("{page}/cap")).await.expect(200).page();
        assert_eq!(form.attribute("#cap", "value").as_deref(), Some("4"));
        app.clock.advance(Duration::from_secs(1));
        set_cap(&bea, &page, "").await.expect(303);
        call(&app, &token, 1, 200).await;
        // Five were accepted so far, some before the limit was set.
        app.clock.advance(Duration::from_secs(1));
        set_cap(&bea, &page, "5").await.expect(303);
        call(&app, &token, 1, 429).await;
        let sentences = bea.get("/activity?kind=token.cap_changed").await.expect(200).page().texts(".what");
        assert_eq!(sentences, [
            "set the hourly limit of the token “ci” to 5",
            "removed the hourly limit of the token “ci”",
            "set the hourly limit of the token “ci” to 4",
        ]);
    }

    async fn an_invalid_limit_is_reported_next_to_its_field(app: TestApp) {
        let (ada, _) = (app.as_(Ada).await, app.token("Acme", "ci"));
        let page = token_page(&ada).await;
        for bad in ["0", "-1", "1.5", "many", "1000000001", "99999999999999999999"] {
            let refused = set_cap(&ada, &page, bad).await.expect(422).page();
            assert_eq!(refused.attribute("#cap", "value").as_deref(), Some(bad));
            assert!(refused.text("#cap-error").contains("whole number"));
        }
        // Setting the same limit again records nothing.
        for _ in 0..2 {
            set_cap(&ada, &page, " 1,000 ").await.expect(303);
        }
        let activity = ada.get("/activity?kind=token.cap_changed").await.expect(200).page();
        assert_eq!(activity.texts(".what").len(), 1);
        let id = page.rsplit('/').next().expect("an id");
        ada.post(&format!("/developer/tokens/{id}/revoke"), &[]).await.expect(303);
        set_cap(&ada, &page, "5").await.expect(409);
    }
}
