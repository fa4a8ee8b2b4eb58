//! Home: the setup steps, and then the figures.

use std::time::Duration;

use gatepost::app::hourly_counts;
use gatepost::app::jobs::Running;
use gatepost::domain::access::plans::Plan;
use gatepost::domain::access::usage;

use crate::mailroom::steps::letter;
use crate::support::client::Visitor;
use crate::support::html::Page;
use crate::support::people::Person::{Ada, Bea, Cy, Dan};
use crate::support::{TestApp, both_engines};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn home(visitor: &Visitor) -> Page {
    visitor.get("/").await.expect(200).page()
}

/// A message that is delivered.
async fn receive(app: &TestApp, id: &str) {
    let message = letter("bob@customer.test", &format!("{id}@customer.test"), id, "Hello.");
    app.keep("bob@customer.test", "hello@gatepost.localhost", &message).await;
}

async fn call(app: &TestApp, token: &str, times: usize, path: &str, status: u16) {
    for _ in 0..times {
        app.api(token).get(path).await.expect(status);
    }
}

/// Completes all five steps of a team, with one message, and returns its token.
async fn set_up(app: &TestApp) -> String {
    app.switch_api("Acme", true);
    let token = app.token("Acme", "ci");
    call(app, &token, 1, "/api/v1/me", 200).await;
    app.alias("Acme", "hello");
    receive(app, "first").await;
    app.flush().await;
    token
}

/// The values of the figures at the top.
fn figures(page: &Page) -> Vec<String> {
    page.texts(".stat-value")
}

both_engines! {
    async fn setup_steps_are_checked_off_automatically(app: TestApp) {
        let (ada, cy) = tokio::join!(app.as_(Ada), app.as_(Cy));
        let done = async |visitor: &Visitor| {
            let page = home(visitor).await;
            (page.text("#setup-title"), page.texts("ol.steps .is-done").len(), page.text("ol.steps .is-now b"))
        };
        assert_eq!(done(&ada).await, ("0 of 5 done".into(), 0, "Turn on API access".into()));
        assert_eq!(done(&cy).await, ("0 of 2 done".into(), 0, "Create your first alias".into()));
        app.switch_api("Acme", true);
        assert_eq!(done(&ada).await, ("1 of 5 done".into(), 1, "Create your first token".into()));
        let token = app.token("Acme", "ci");
        assert_eq!(done(&ada).await, ("2 of 5 done".into(), 2, "Make your first request".into()));
        let page = home(&ada).await;
        assert!(page.text("#first-request").contains("/api/v1/me"));
        // The polling page gets no content until a step is done.
        let poll = page.attribute("#setup", "hx-get").expect("a poll");
        ada.fragment(&poll).await.expect(204);
        call(&app, &token, 1, "/api/v1/me", 200).await;
        app.flush().await;
        assert!(ada.fragment(&poll).await.expect(200).body.contains("3 of 5 done"));
        app.alias("Acme", "hello");
        assert_eq!(done(&ada).await, ("4 of 5 done".into(), 4, "Receive your first message".into()));
        receive(&app, "first").await;
        for visitor in [&ada, &cy] {
            let page = home(visitor).await;
            assert!(!page.has("#setup"));
            assert_eq!(page.text("h1"), "Home");
        }
    }

    async fn figures_show_only_the_teams_data(app: TestApp) {
        // Records are sorted by time, and the template's records have the clock's first time.
        app.clock.advance(Duration::from_secs(60));
        let token = set_up(&app).await;
        let (ada, dan) = tokio::join!(app.as_(Ada), app.as_(Dan));
        receive(&app, "second").await;
        call(&app, &token, 2, "/api/v1/me", 200).await;
        call(&app, &token, 1, "/api/v1/nothing", 404).await;
        let page = home(&ada).await;
        assert_eq!(figures(&page), ["2", "4", "1", "4 of 1,000"]);
        assert_eq!(page.texts("#calls-title + span + nav [aria-current]"), ["24 h"]);
        let legend = page.texts("[aria-labelledby=mail-title] .legend b");
        assert_eq!(legend, ["2", "0"]);
        assert_eq!(page.texts("[aria-labelledby=aliases-title] dd"), ["2"]);
        assert_eq!(page.texts("[aria-labelledby=tokens-title] dt"), ["ci"]);
        assert_eq!(page.texts("[aria-labelledby=tokens-title] dd"), ["4"]);
        let recent = page.texts("[aria-labelledby=recent-title] b");
        assert!(recent.iter().any(|what| what.contains("Created the alias hello@gatepost.localhost")), "{recent:?}");
        // Stored counts show the same figures as live ones.
        app.clock.advance(DAY);
        let until = usage::settled(app.app.now());
        hourly_counts::count(&app.app, until, &Running::unstoppable()).await.expect("counted hours");
        let page = home(&ada).await;
        assert_eq!(figures(&page)[..2], ["0", "0"]);
        assert_eq!(page.texts("[aria-labelledby=tokens-title] dd"), ["4"]);
        assert_eq!(page.texts("[aria-labelledby=mail-title] .legend b"), ["2", "0"]);
        let week = ada.get("/?period=7d").await.expect(200).page();
        assert_eq!(week.texts("[aria-labelledby=calls-title] tbody tr").len(), 28);
        let totals = week.texts("[aria-labelledby=calls-title] tbody td:last-child");
        assert_eq!(totals.iter().map(|total| total.parse::<i64>().expect("a number")).sum::<i64>(), 4);
        ada.get("/?period=1y").await.expect(404);
        let other = home(&dan).await;
        assert!(other.has("#setup") && !other.whole_text().contains("hello@gatepost.localhost"));
    }

    async fn blocked_mail_is_counted_separately(app: TestApp) {
        set_up(&app).await;
        app.database.execute("UPDATE contacts SET state = 'blocked'").expect("a blocked contact");
        receive(&app, "second").await;
        let page = home(&app.as_(Ada).await).await;
        assert_eq!(figures(&page)[0], "1");
        assert_eq!(page.texts("[aria-labelledby=mail-title] .legend b"), ["1", "1"]);
        // The counts remain after the messages are deleted.
        app.database.execute("DELETE FROM messages").expect("no messages");
        let page = home(&app.as_(Ada).await).await;
        assert_eq!(page.texts("[aria-labelledby=mail-title] .legend b"), ["1", "1"]);
    }

    async fn problems_are_listed_with_a_link_to_fix_them(app: TestApp) {
        let token = set_up(&app).await;
        let ada = app.as_(Ada).await;
        assert!(home(&ada).await.text("[aria-labelledby=care-title]").contains("Nothing."));
        call(&app, &token, 12, "/api/v1/nothing", 404).await;
        let now = app.app.now();
        let soon = now.plus(time::Duration::days(6)).plus(time::Duration::HOUR).micros();
        app.token("Acme", "Nightly export");
        app.database.execute(&format!("UPDATE tokens SET expires_at = {soon} WHERE name = 'Nightly export'")).expect("an expiry time");
        app.token("Globex", "Not theirs");
        app.database.execute(&format!("UPDATE tokens SET expires_at = {soon} WHERE name = 'Not theirs'")).expect("an expiry time");
        let page = home(&ada).await;
        let cares = page.texts("[aria-labelledby=care-title] li");
        assert_eq!(cares.len(), 2, "{cares:?}");
        assert!(cares[0].contains("ci 12 of 13 requests refused or failed in 24 h"), "{cares:?}");
        assert!(cares[1].contains("Nightly export Token expires in 6 days"), "{cares:?}");
        assert_eq!(page.text("#care-title + .tally"), "2");
        assert!(page.text(".lead").contains("Two things need your attention."), "{}", page.text(".lead"));
        for link in page.links().into_iter().filter(|link| link.contains("tok_")) {
            ada.get(&link).await.expect(200);
        }
        // Members see no tokens.
        let cy = home(&app.as_(Cy).await).await;
        assert!(cy.text("[aria-labelledby=care-title]").contains("Nothing."));
        app.clock.advance(DAY * 91);
        let (_, bea) = (app.catch_up(), app.as_(Bea).await);
        assert!(home(&bea).await.text("[aria-labelledby=care-title]").contains("2 tokens Not used for 90 days"));
    }

    async fn members_see_mail_but_no_api_data(app: TestApp) {
        set_up(&app).await;
        let page = home(&app.as_(Cy).await).await;
        assert_eq!(figures(&page), ["1", "1", "1", "0"]);
        assert!(page.has("#mail-chart") && !page.has("#calls-chart"));
        for hidden in ["tokens-title", "recent-title", "calls-title"] {
            assert!(!page.has(&format!("#{hidden}")), "{hidden}");
        }
        assert!(!page.links().iter().any(|link| link.contains("tok_") || link.starts_with("/activity")));
    }

    async fn a_plan_without_the_api_has_only_mail_steps(app: TestApp) {
        app.set_plan("Acme", Plan::Free);
        let ada = app.as_(Ada).await;
        assert_eq!(home(&ada).await.text("#setup-title"), "0 of 2 done");
        app.alias("Acme", "hello");
        receive(&app, "first").await;
        let page = home(&ada).await;
        assert!(!page.has("#calls-chart") && page.has("#mail-chart"));
    }
}
