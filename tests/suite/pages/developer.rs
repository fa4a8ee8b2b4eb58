//! The Developer page: a token from creation to revocation.

mod api_switch;
mod scopes;
mod tables;
mod team_key;

use crate::support::client::{Response, Visitor};
use crate::support::people::PASSWORD;
use crate::support::people::Person::{Ada, Bea, Cy, Dan};
use crate::support::{TestApp, both_engines};
use std::process::Command;
use std::time::Duration;

/// Returns the page that reveals the token.
async fn create(visitor: &Visitor, name: &str) -> Response {
    visitor.post("/developer/tokens", &[("name", name)]).await
}

fn revealed(response: &Response) -> String {
    response.page().text("#token-value")
}

/// Returns the path of the token's page.
async fn address(visitor: &Visitor, name: &str) -> String {
    visitor.get("/developer").await.expect(200).page().link(name)
}

both_engines! {
    async fn a_token_is_revealed_once(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.switch_api("Acme", true);
        let response = create(&ada, "backup script").await.expect(200);
        assert_eq!(response.header("cache-control"), "no-store");
        let token = revealed(&response);
        app.api(&token).get("/api/v1/me").await.expect(200);
        // Once by itself, and once in the curl command.
        assert_eq!(response.body.matches(&token).count(), 2);
        let masked = format!("{}…", &token[..11]);
        assert!(response.page().texts("#tokens .token").contains(&masked));
        let page = response.page().link("backup script");
        for path in ["/developer", &page, "/developer/tokens", &format!("{page}/revoke")] {
            for again in [ada.get(path).await, ada.fragment(path).await] {
                assert!(!again.body.contains(&token[11..]), "{path} shows the secret");
            }
        }
        assert!(app.database.holds("backup script"));
        assert!(!app.database.holds(&token[15..]), "the secret is in the store");
    }

    async fn the_curl_command_works_without_editing(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.switch_api("Acme", true);
        let response = create(&ada, "ci").await.expect(200);
        let line = response.page().text("#token-curl");
        assert_eq!(line, format!("curl -H \"Authorization: Bearer {}\" {}/api/v1/me", revealed(&response), app.base));
        let done = Command::new("sh").arg("-c").arg(&line).output().expect("a shell");
        let response: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
        assert_eq!(response["token"]["name"], "ci");
        let list = ada.fragment("/developer/tokens").await.expect(200);
        let used = list.page().texts(".token-used time");
        assert_eq!(used, ["2040-01-02 09:00:00 UTC"]);
        assert!(list.page().has("tr.is-new"), "the token was just used");
        assert!(list.page().whole_text().contains("127.0.0.1 · curl/"));
    }

    async fn reloading_the_reveal_creates_no_second_token(app: TestApp) {
        let ada = app.as_(Ada).await;
        create(&ada, "ci").await.expect(200);
        for same in ["ci", " CI "] {
            let again = create(&ada, same).await.expect(409);
            assert!(!again.page().has("#token-value"));
            assert!(again.page().text("#name-error").contains("already"));
            assert_eq!(again.page().form("/developer/tokens").fields["name"], same);
        }
        assert_eq!(app.database.number("SELECT count(*) AS n FROM tokens"), 1);
    }

    async fn concurrent_creations_with_one_name_create_one_token(app: TestApp) {
        let (ada, bea) = tokio::join!(app.as_(Ada), app.as_(Bea));
        for round in 0..5 {
            let name = format!("ci {round}");
            let (a, b) = tokio::join!(create(&ada, &name), create(&bea, &name));
            let mut statuses = [a.status, b.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409]);
        }
        assert_eq!(app.database.number("SELECT count(*) AS n FROM tokens"), 5);
    }

    async fn a_name_must_be_one_line(app: TestApp) {
        let ada = app.as_(Ada).await;
        for bad in ["", "   ", &"x".repeat(61), "two\nlines"] {
            let response = create(&ada, bad).await.expect(422);
            assert!(response.page().has("#name-error"), "{bad:?}");
        }
        assert_eq!(app.database.number("SELECT count(*) AS n FROM tokens"), 0);
    }

    async fn a_revoked_token_is_refused_at_once_and_stays_listed(app: TestApp) {
        let (ada, bea) = tokio::join!(app.as_(Ada), app.as_(Bea));
        app.switch_api("Acme", true);
        let token = revealed(&create(&ada, "laptop").await.expect(200));
        app.api(&token).get("/api/v1/me").await.expect(200);
        let revoke = format!("{}/revoke", address(&bea, "laptop").await);
        app.clock.advance(Duration::from_secs(60));
        let question = bea.fragment(&revoke).await.expect(200);
        assert!(!question.body.contains("<html") && bea.get(&revoke).await.body.contains("<html"));
        assert_eq!(question.page().texts(".figures dd"), ["1", "1", "1"]);
        assert!(question.page().whole_text().contains("Last used from 127.0.0.1"));
        let page = bea.post_and_follow(&revoke, &[("reason", "left on a train")]).await.expect(200).page();
        assert!(page.text(".toast").contains("revoked"));
        assert!(!page.has("#tokens"));
        let row = bea.get(&page.link("Revoked 1")).await.expect(200).page().text("#revoked tbody tr");
        for fact in ["laptop", &token[..11], "bea@acme.test", "2040-01-02 09:01:00", "left on a train", "2040-01-02 09:00:00"] {
            assert!(row.contains(fact), "{fact} in {row}");
        }
        let refused = app.api(&token).get("/api/v1/me").await.expect(401);
        assert!(refused.json()["error"]["message"].as_str().unwrap().contains("revoked"));
        let again = bea.post(&revoke, &[]).await.expect(303);
        assert_eq!((again.location(), again.notice().as_str()), ("/developer", "token-revoked-already"));
        let next = create(&ada, "laptop").await.expect(200);
        assert_ne!(revealed(&next), token, "the name can be reused");
    }

    async fn a_long_reason_is_shown_again_with_an_error(app: TestApp) {
        let ada = app.as_(Ada).await;
        create(&ada, "ci").await.expect(200);
        let revoke = format!("{}/revoke", address(&ada, "ci").await);
        let reason = "x".repeat(201);
        let response = ada.post(&revoke, &[("reason", &reason)]).await.expect(422);
        assert!(response.page().has("#reason-error"));
        assert_eq!(response.page().form(&revoke).fields["reason"], reason);
    }

    async fn a_token_is_renamed(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.switch_api("Acme", true);
        let token = revealed(&create(&ada, "ci").await.expect(200));
        create(&ada, "cd").await.expect(200);
        let page = address(&ada, "ci").await;
        let rename = format!("{page}/rename");
        let renamed = ada.post_and_follow(&rename, &[("name", "build")]).await.expect(200);
        assert!(renamed.page().text("h1").starts_with("build"));
        let me = app.api(&token).get("/api/v1/me").await.expect(200);
        assert_eq!(me.json()["token"]["name"], "build");
        let taken = ada.post(&rename, &[("name", "CD")]).await.expect(409);
        assert!(taken.page().text("#name-error").contains("already"));
        ada.post(&rename, &[("name", "")]).await.expect(422);
        ada.post(&format!("{page}/revoke"), &[]).await.expect(303);
        ada.post(&rename, &[("name", "ghost")]).await.expect(409);
    }

    async fn a_token_page_shows_its_requests(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.switch_api("Acme", true);
        let token = revealed(&create(&ada, "ci").await.expect(200));
        let page = address(&ada, "ci").await;
        assert!(ada.get(&page).await.page().whole_text().contains("Never used"));
        for _ in 0..21 {
            app.api(&token).get("/api/v1/team").await.expect(200);
        }
        app.clock.advance(Duration::from_secs(25 * 3600));
        app.api(&token).get("/api/v1/nothing").await.expect(404);
        let shown = ada.get(&page).await.expect(200).page();
        let figures = "Requests, last 24 h 1 22 in 7 days, 22 in 30 days";
        assert!(shown.texts(".stat").contains(&figures.to_owned()), "{:?}", shown.texts(".stat"));
        let calls = shown.texts("#requests tbody tr");
        assert_eq!(calls.len(), 20);
        assert!(calls[0].contains("404") && calls[1].contains("GET /api/v1/team 200"), "{calls:?}");
        let refused = ada.get(&shown.link("Refused")).await.expect(200).page();
        assert_eq!(refused.texts("#requests tbody tr").len(), 1);
        assert!(shown.text(".trail").contains("Ada created the token"), "{}", shown.text(".trail"));
        ada.get(&format!("{page}?period=30d&status=5xx")).await.expect(200);
        ada.get(&format!("{page}?status=9xx")).await.expect(404);
        let first = shown.links().into_iter().find(|it| it.starts_with("/activity/act_"));
        ada.get(&first.expect("a link to the record")).await.expect(200);
    }

    async fn tokens_of_another_team_do_not_exist(app: TestApp) {
        let (ada, dan) = tokio::join!(app.as_(Ada), app.as_(Dan));
        create(&ada, "ci").await.expect(200);
        let page = address(&ada, "ci").await;
        for (there, name) in [(page.as_str(), "ci"), ("/developer/tokens/tok_1", "-")] {
            for path in [there.to_owned(), format!("{there}/revoke")] {
                assert!(!dan.get(&path).await.expect(404).body.contains("ci"), "{name}");
                dan.fragment(&path).await.expect(404);
            }
            dan.post(&format!("{there}/rename"), &[("name", "mine")]).await.expect(404);
            dan.post(&format!("{there}/rename"), &[("name", "")]).await.expect(404);
            dan.post(&format!("{there}/revoke"), &[]).await.expect(404);
            dan.post(&format!("{there}/revoke"), &[("reason", &"x".repeat(201))]).await.expect(404);
        }
        assert!(ada.get(&page).await.expect(200).page().text("h1").ends_with("Active"));
    }

    async fn creating_a_token_asks_for_the_password_after_10_minutes(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.clock.advance(Duration::from_secs(601));
        let asked = create(&ada, "ci").await.expect(403);
        let form = asked.page().form("/developer/tokens");
        assert_eq!(form.fields["name"], "ci");
        let wrong = [("name", "ci"), ("password", "not it at all")];
        let refused = ada.post("/developer/tokens", &wrong).await.expect(403);
        assert!(refused.page().has("#password-error"));
        assert_eq!(app.database.number("SELECT count(*) AS n FROM tokens"), 0);
        let right = [("name", "ci"), ("password", PASSWORD)];
        let made = ada.post("/developer/tokens", &right).await.expect(200);
        assert!(made.page().has("#token-value"));
        create(&ada, "cd").await.expect(200);
    }

    async fn members_see_whom_to_ask(app: TestApp) {
        let cy = app.as_(Cy).await;
        app.token("Acme", "ci");
        let text = cy.get("/developer").await.expect(200).page().whole_text();
        for name in ["Ada", "ada@acme.test", "Bea", "bea@acme.test"] {
            assert!(text.contains(name), "{name} in {text}");
        }
        assert!(!text.contains("gp_") && !text.contains("Globex"));
        create(&cy, "mine").await.expect(403);
        cy.fragment("/developer/tokens").await.expect(403);
    }
}
