//! Every request of a team is recorded before its response is sent, and a token's last use is accurate.

use std::time::Duration;

use gatepost::domain::access::activity::{self, ActivityKind, Filter, Record};
use gatepost::domain::access::plans::Plan;
use gatepost::domain::access::tokens::{self, Token};
use gatepost::domain::lists::Window;
use reqwest::Method;
use serde_json::json;

use super::{public_id, recorded};
use crate::support::people::Person::{Ada, Cy};
use crate::support::{TestApp, both_engines};

/// Returns the newest API request of Acme, and advances the clock for the next one.
fn last(app: &TestApp) -> Record {
    app.clock.advance(Duration::from_millis(1));
    let team = app.team("Acme").id;
    let filter = Filter { kinds: Some(ActivityKind::CALLS.to_vec()), ..Filter::default() };
    let page = app.app.read_now(|tx| activity::list(tx, team, &filter, Window::first(1))).expect("a page");
    page.rows.into_iter().next().expect("a record")
}

fn tokens(app: &TestApp) -> Vec<Token> {
    let team = app.team("Acme").id;
    app.app
        .read_now(|tx| tokens::list(tx, team, &tokens::Filter::default(), Window::first(100)))
        .expect("tokens")
        .rows
}

fn last_used(app: &TestApp) -> Option<String> {
    tokens(app)[0].last_used_at.map(|at| at.to_string())
}

both_engines! {
    async fn a_request_is_recorded_completely(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        let response = app.api(&token).get("/api/v1/team/people?limit=2").await.expect(200);
        let record = last(&app);
        assert_eq!(record.method.as_deref(), Some("GET"));
        assert_eq!(record.route.as_deref(), Some("/api/v1/team/people"));
        assert_eq!(record.status, Some(200));
        assert_eq!(record.token_id, Some(tokens(&app)[0].id));
        assert_eq!(record.person_id, None);
        assert_eq!(record.ip.as_deref(), Some("127.0.0.1"));
        assert_eq!(record.at.to_string(), "2040-01-02T09:00:00Z");
        assert_eq!(record.request().map(|id| id.to_string()).as_deref(), Some(response.header("x-request-id")));
        assert!(record.duration_us.is_some_and(|micros| micros > 0));
    }

    async fn a_record_contains_the_route_template_and_no_parameters(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        let api = app.api(&token);
        for (method, path, status, route) in [
            (Method::GET, "/api/v1/me?secret=hush", 400, "/api/v1/me"),
            (Method::DELETE, "/api/v1/api-keys/hush", 403, "/api/v1/api-keys/{id}"),
            (Method::GET, "/api/v1/hush", 404, "unknown"),
            (Method::PUT, "/api/v1/me", 405, "/api/v1/me"),
        ] {
            api.send_json(method.clone(), path, &json!({"hush": "hush"})).await.expect(status);
            let record = last(&app);
            assert_eq!(record.route.as_deref(), Some(route));
            assert_eq!(record.method.as_deref(), Some(method.as_str()));
            assert_eq!(record.status, i16::try_from(status).ok());
            assert!(!format!("{record:?}").contains("hush"), "{record:?}");
        }
        assert_eq!(recorded(&app, "Acme"), 4);
    }

    async fn refused_calls_with_a_correct_secret_are_recorded_for_the_team(app: TestApp) {
        let token = app.token("Acme", "ci");
        let api = app.api(&token);
        for expected in 1..=4 {
            match expected {
                1 => api.get("/api/v1/me").await.expect(403),
                2 => {
                    app.switch_api("Acme", true);
                    app.set_plan("Acme", Plan::Free);
                    api.get("/api/v1/me").await.expect(403)
                }
                3 => {
                    let sql = format!("UPDATE tokens SET expires_at = 1 WHERE public_id = '{}'", public_id(&token));
                    app.database.execute(&sql).expect("an expired token");
                    app.catch_up();
                    api.get("/api/v1/me").await.expect(401)
                }
                _ => {
                    let (team, id) = (app.team("Acme").id, tokens(&app)[0].id);
                    app.operate(|tx, actor| tokens::revoke(tx, actor, team, id, None));
                    api.get("/api/v1/me").await.expect(401)
                }
            };
            assert_eq!(recorded(&app, "Acme"), expected);
            assert_eq!(last(&app).token_id, Some(tokens(&app)[0].id));
            assert_eq!(last_used(&app), None, "a refused call was counted as a use");
        }
    }

    async fn requests_without_a_known_caller_are_recorded_for_no_team(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        let everything = "SELECT COUNT(*) AS n FROM activity";
        let before = app.database.number(everything);
        let sql = format!("UPDATE tokens SET hash = public_id_hash WHERE public_id = '{}'", public_id(&token));
        assert!(app.database.execute(&sql.replace("public_id_hash", "team_id")).is_ok());
        for wrong in [token.as_str(), "gp_x", ""] {
            app.api(wrong).get("/api/v1/me").await.expect(401);
        }
        app.api_with(&[]).get("/api/v1/nothing").await.expect(401);
        app.api_with(&[("X-API-Key", "a"), ("Authorization", "Bearer b")]).get("/api/v1/me").await.expect(400);
        assert_eq!(app.database.number(everything), before);
    }

    async fn requests_with_a_session_are_recorded_with_the_persons_name(app: TestApp) {
        app.switch_api("Acme", true);
        app.as_(Ada).await.get("/api/v1/me").await.expect(200);
        let record = last(&app);
        assert_eq!(record.actor_label.as_deref(), Some("ada@acme.test"));
        assert!(record.person_id.is_some() && record.token_id.is_none());
        app.as_(Cy).await.get("/api/v1/me").await.expect(403);
        let record = last(&app);
        assert_eq!(record.actor_label.as_deref(), Some("cy@acme.test"));
        assert_eq!(record.status, Some(403));
    }

    async fn last_used_is_accurate_after_a_request_and_never_moves_back(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        let api = app.api_with(&[("X-API-Key", &token), ("User-Agent", "sync/2.1")]);
        assert_eq!(last_used(&app), None);
        app.clock.advance(Duration::from_secs(60));
        api.get("/api/v1/me").await.expect(200);
        assert_eq!(last_used(&app).as_deref(), Some("2040-01-02T09:01:00Z"));
        assert_eq!(tokens(&app)[0].last_used_ip.as_deref(), Some("127.0.0.1"));
        assert_eq!(tokens(&app)[0].last_used_agent.as_deref(), Some("sync/2.1"));
        app.clock.advance(Duration::from_secs(60));
        // The gate admitted the call that the handler refuses, so it counts as a use.
        api.get("/api/v1/nothing").await.expect(404);
        assert_eq!(last_used(&app).as_deref(), Some("2040-01-02T09:02:00Z"));
        // Another instance has stored a later time in the meantime.
        let later = app.app.now().micros() + 5_000_000;
        app.database.execute(&format!("UPDATE tokens SET last_used_at = {later}")).expect("a later use");
        api.get("/api/v1/me").await.expect(200);
        assert_eq!(last_used(&app).as_deref(), Some("2040-01-02T09:02:05Z"));
    }

    async fn a_change_by_a_token_is_recorded_in_addition_to_the_request(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        let response = app.api(&token).delete("/api/v1/me/token").await.expect(204);
        let team = app.team("Acme").id;
        let filter = Filter { kinds: Some(vec![ActivityKind::TokenRevoked]), ..Filter::default() };
        let page = app.app.read_now(|tx| activity::list(tx, team, &filter, Window::first(2))).expect("a page");
        let [record] = page.rows.as_slice() else { panic!("{:?}", page.rows) };
        assert_eq!(record.actor_label.as_deref(), Some("token ci"));
        assert_eq!(record.subject.as_deref(), Some("ci"));
        assert_eq!(record.request().map(|id| id.to_string()).as_deref(), Some(response.header("x-request-id")));
        assert_eq!(recorded(&app, "Acme"), 1);
    }

    async fn every_response_has_a_record_even_under_load(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        let calls = (0..200).map(|_| {
            let api = app.api(&token);
            async move { api.get("/api/v1/me").await.expect(200).header("x-request-id").to_owned() }
        });
        let mut ids: Vec<_> = futures_util::future::join_all(calls).await;
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 200);
        app.flush().await;
        assert_eq!(recorded(&app, "Acme"), 200);
    }
}
