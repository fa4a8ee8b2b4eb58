//! `/team` and `/team/people`.

use serde_json::json;

use super::details;
use crate::support::{TestApp, both_engines};

both_engines! {
    async fn a_token_reads_its_own_team(app: TestApp) {
        app.switch_api("Acme", true);
        app.switch_api("Globex", true);
        for name in ["Acme", "Globex"] {
            let token = app.token(name, "ci");
            let body = app.api(&token).get("/api/v1/team").await.expect(200).json();
            let expected = json!({
                "id": body["id"], "name": name, "plan": "pro", "apiEnabled": true,
                "createdAt": "2040-01-02T09:00:00Z",
            });
            assert_eq!(body, expected);
        }
    }

    async fn people_are_listed_by_name_with_one_owner(app: TestApp) {
        app.switch_api("Acme", true);
        let api = app.api(&app.token("Acme", "ci"));
        let body = api.get("/api/v1/team/people").await.expect(200).json();
        let people: Vec<_> = body["data"].as_array().unwrap().iter().map(|each| {
            [each["name"].as_str().unwrap(), each["email"].as_str().unwrap(), each["role"].as_str().unwrap()]
        }).collect();
        let expected = [
            ["Ada", "ada@acme.test", "owner"],
            ["Bea", "bea@acme.test", "admin"],
            ["Cy", "cy@acme.test", "member"],
        ];
        assert_eq!(people, expected);
        assert_eq!(
            body["pagination"],
            json!({"limit": 50, "offset": 0, "total": 3, "hasMore": false, "nextCursor": null})
        );
        assert!(!body.to_string().contains("argon2"), "{body}");
    }

    async fn lists_respect_limit_and_offset(app: TestApp) {
        app.switch_api("Acme", true);
        let api = app.api(&app.token("Acme", "ci"));
        for list in ["/api/v1/team/people", "/api/v1/api-keys"] {
            for (query, field) in [
                ("limit=0", "limit"), ("limit=101", "limit"), ("limit=-1", "limit"), ("limit=1.5", "limit"),
                ("limit=", "limit"), ("limit=all", "limit"), ("offset=-1", "offset"), ("offset=x", "offset"),
                ("page=2", "page"), ("limit=99999999999999999999", "limit"),
            ] {
                let response = api.get(&format!("{list}?{query}")).await.expect(400);
                assert_eq!(response.error_code(), "INVALID_REQUEST");
                assert_eq!(details(&response)[0]["field"], field, "{list}?{query}: {}", response.body);
            }
            let response = api.get(&format!("{list}?limit=0&offset=-1")).await.expect(400);
            assert_eq!(details(&response).as_array().map(Vec::len), Some(2));
            for query in ["limit=1", "limit=100", "offset=9223372036854775807"] {
                api.get(&format!("{list}?{query}")).await.expect(200);
            }
        }
    }

    async fn cursors_cover_the_whole_list(app: TestApp) {
        app.switch_api("Acme", true);
        let api = app.api(&app.token("Acme", "ci"));
        let mut names = Vec::new();
        for (offset, more) in [(0, true), (2, false), (3, false)] {
            let body = api.get(&format!("/api/v1/team/people?limit=2&offset={offset}")).await.expect(200).json();
            let part = body["data"].as_array().unwrap();
            names.extend(part.iter().map(|each| each["name"].as_str().unwrap().to_owned()));
            let next = if more { json!("at_2") } else { json!(null) };
            assert_eq!(
                body["pagination"],
                json!({"limit": 2, "offset": offset, "total": 3, "hasMore": more, "nextCursor": next})
            );
        }
        assert_eq!(names, ["Ada", "Bea", "Cy"]);
    }
}
