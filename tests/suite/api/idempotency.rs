//! `Idempotency-Key`: retrying a creation with the same key creates one resource.

use std::time::Duration;

use futures_util::future::{Either, select};
use gatepost::app::jobs::Running;
use gatepost::app::retention::remove_responses;
use gatepost::domain::access::idempotency::{self, Key, Outcome, Request, Stored};
use gatepost::domain::access::plans::Plan;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::details;
use crate::support::client::{Api, Response, Visitor, send};
use crate::support::people::Person::{Ada, Bea};
use crate::support::{TestApp, both_engines};

const KEY: &str = "Idempotency-Key";

fn api(app: &TestApp) -> Api {
    app.switch_api("Acme", true);
    app.api(&app.token("Acme", "caller"))
}

fn contact(api: &Api, key: &str, body: &Value) -> impl Future<Output = Response> + use<> {
    send(api.request(Method::POST, "/api/v1/contacts").header(KEY, key).json(body))
}

fn bob() -> Value {
    json!({"address": "bob@customer.test", "name": "Bob"})
}

/// Whether the response replays the first one.
fn is_replayed(response: &Response) -> bool {
    match response.header("idempotency-replayed") {
        "true" => true,
        "" => false,
        odd => panic!("{odd}"),
    }
}

async fn total(ada: &Visitor, path: &str) -> Value {
    ada.get(path).await.expect(200).json()["pagination"]["total"].clone()
}

both_engines! {
    async fn the_first_response_is_replayed_and_nothing_is_created_twice(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        for (path, body, respelled) in [
            ("/api/v1/aliases", json!({"note": "random"}), r#" { "localPart" : null, "note":"random"}"#),
            ("/api/v1/contacts", bob(), r#"{"name":"Bob","address":"bob@customer.test"}"#),
            ("/api/v1/domains", json!({"name": "acme.test"}), r#"{"name":"acme\u002etest"}"#),
            ("/api/v1/api-keys", json!({"name": "ci"}), r#"{"name": "ci"}"#),
        ] {
            let post = |key: &str| {
                let request = ada.request(Method::POST, path).header("Sec-Fetch-Site", "same-origin");
                request.header(KEY, format!("{key} {path}").replace(' ', "-"))
            };
            let first = send(post("key").json(&body)).await.expect(201);
            assert!(!is_replayed(&first), "{path}");
            let made = total(&ada, path).await;
            app.clock.advance(Duration::from_secs(1));
            for again in [post("key").json(&body), typed(post("key")).body(respelled)] {
                let again = send(again).await.expect(201);
                assert!(is_replayed(&again), "{path}");
                assert_eq!(again.location(), first.location());
                assert_eq!(again.header("etag"), "", "{path}: the tag may be outdated");
                assert_eq!(without_secret(&again), without_secret(&first), "{path}");
            }
            assert_eq!(total(&ada, path).await, made, "{path}");
        }
    }

    async fn a_key_cannot_be_reused_for_another_request(app: TestApp) {
        let api = api(&app);
        let first = contact(&api, "one", &bob()).await.expect(201);
        let alias = api.request(Method::POST, "/api/v1/aliases").header(KEY, "one").json(&json!({}));
        for other in [
            contact(&api, "one", &json!({"address": "bob@customer.test"})).await,
            contact(&api, "one", &json!({"address": "eve@customer.test"})).await,
            send(alias).await,
        ] {
            let other = other.expect(422);
            assert_eq!(other.error_code(), "IDEMPOTENCY_KEY_REUSED");
            assert!(!is_replayed(&other));
        }
        assert_eq!(contact(&api, "one", &bob()).await.expect(201).location(), first.location());
        let counted = |table: &str| app.database.number(&format!("SELECT COUNT(*) AS n FROM {table}"));
        assert_eq!((counted("contacts"), counted("idempotent_responses")), (1, 1));
    }

    async fn a_key_belongs_to_its_caller(app: TestApp) {
        let api = api(&app);
        app.switch_api("Globex", true);
        let (ada, bea) = (app.as_(Ada).await, app.as_(Bea).await);
        let own = |visitor: &Visitor| {
            let request = visitor.request(Method::POST, "/api/v1/aliases");
            request.header("Sec-Fetch-Site", "same-origin")
        };
        let at = |api: &Api| api.request(Method::POST, "/api/v1/aliases");
        let mut locations = Vec::new();
        for request in [
            at(&api),
            at(&app.api(&app.token("Acme", "other"))),
            at(&app.api(&app.token("Globex", "theirs"))),
            own(&ada),
            own(&bea),
        ] {
            let response = send(request.header(KEY, "same").json(&json!({}))).await.expect(201);
            assert!(!is_replayed(&response));
            locations.push(response.location().to_owned());
        }
        locations.sort();
        locations.dedup();
        assert_eq!(locations.len(), 5);
    }

    async fn a_refusal_is_not_replayed(app: TestApp) {
        let api = api(&app);
        let bad = contact(&api, "key", &json!({"address": "nobody"})).await.expect(400);
        assert_eq!(details(&bad)[0]["field"], "address");
        contact(&api, "other", &bob()).await.expect(201);
        assert_eq!(contact(&api, "key", &bob()).await.expect(409).error_code(), "CONFLICT");
        let eve = json!({"address": "eve@customer.test"});
        assert!(!is_replayed(&contact(&api, "key", &eve).await.expect(201)));
    }

    async fn a_response_is_stored_for_a_day(app: TestApp) {
        let api = api(&app);
        let post = || {
            let request = api.request(Method::POST, "/api/v1/aliases").header(KEY, "daily");
            send(request.json(&json!({})))
        };
        let first = post().await.expect(201);
        app.clock.advance(Duration::from_secs(24 * 3600) - Duration::from_micros(1));
        let again = post().await.expect(201);
        assert_eq!((again.location(), is_replayed(&again)), (first.location(), true));
        app.clock.advance(Duration::from_micros(1));
        let second = post().await.expect(201);
        assert!(!is_replayed(&second) && second.location() != first.location());
        assert_eq!(app.database.number("SELECT COUNT(*) AS n FROM idempotent_responses"), 1);
    }

    async fn old_responses_are_removed_in_batches(app: TestApp) {
        let api = api(&app);
        contact(&api, "old", &bob()).await.expect(201);
        let copies = format!(
            "INSERT INTO idempotent_responses (id, team_id, content, at, location, body)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
             SELECT {}, team_id, content, at - i, location, body FROM idempotent_responses, n",
            match app.database.url().starts_with("sqlite") {
                true => "CAST(i AS BLOB)",
                false => "convert_to(CAST(i AS TEXT), 'UTF8')",
            }
        );
        app.database.execute(&copies).expect("copies");
        app.clock.advance(Duration::from_secs(23 * 3600));
        contact(&api, "new", &json!({"address": "eve@customer.test"})).await.expect(201);
        assert_eq!(remove_responses(&app.app, &Running::unstoppable()).await.expect("a sweep"), 0);
        app.clock.advance(Duration::from_secs(3600));
        // The job stops after the first batch: 500 are removed.
        assert!(remove_responses(&app.app, &Running::stopping()).await.is_err());
        assert_eq!(remove_responses(&app.app, &Running::unstoppable()).await.expect("the rest"), 701);
        assert!(is_replayed(&contact(&api, "new", &json!({"address": "eve@customer.test"})).await.expect(201)));
    }

    async fn no_secret_is_stored_for_a_retry(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        let create = || {
            let request = ada.request(Method::POST, "/api/v1/api-keys").header("Sec-Fetch-Site", "same-origin");
            send(request.header(KEY, "a-key-that-says-something").json(&json!({"name": "ci"})))
        };
        let first = create().await.expect(201).json();
        let token = first["token"].as_str().expect("the token").to_owned();
        let again = create().await.expect(201).json();
        assert_eq!(again["token"], Value::Null);
        assert!(again["notice"].as_str().expect("a notice").contains("revoke this token"));
        assert_eq!((&again["id"], &first["notice"]), (&first["id"], &Value::Null));
        app.api(&token).get("/api/v1/me").await.expect(200);
        app.flush().await;
        assert!(!app.database.holds(&token[15..47]), "the secret is in the store");
        assert!(!app.database.holds("a-key-that-says-something"), "the key is in the store");
        assert!(app.database.holds("was shown once"), "this searches the wrong place");
    }

    async fn concurrent_requests_with_one_key_create_one_resource(app: TestApp) {
        let api = api(&app);
        app.set_plan("Acme", Plan::Enterprise);
        for round in 0..10 {
            let key = format!("round-{round}");
            let post = || {
                let request = api.request(Method::POST, "/api/v1/aliases").header(KEY, &key);
                tokio::spawn(send(request.json(&json!({}))))
            };
            let all: Vec<_> = (0..12).map(|_| post()).collect();
            let mut first = 0;
            for response in all {
                let response = response.await.expect("a response");
                match response.status {
                    409 => assert_eq!(
                        (response.error_code().as_str(), response.header("retry-after")),
                        ("IDEMPOTENCY_KEY_IN_USE", "1")
                    ),
                    _ => first += usize::from(!is_replayed(&response.expect(201))),
                }
            }
            assert_eq!(first, 1);
            assert_eq!(app.database.number("SELECT COUNT(*) AS n FROM aliases WHERE domain_id IS NULL"), round + 1);
        }
    }
}

fn typed(request: RequestBuilder) -> RequestBuilder {
    request.header("Content-Type", "application/json")
}

/// Returns the response without the secret.
fn without_secret(response: &Response) -> Value {
    let mut body = response.json();
    let fields = body.as_object_mut().expect("an object");
    fields.retain(|name, _| name != "token" && name != "notice");
    body
}

#[tokio::test]
async fn an_invalid_key_is_refused() {
    let app = TestApp::sqlite().await;
    let api = api(&app);
    for bad in ["", "two words", "tab\there", &"x".repeat(256)] {
        let refused = contact(&api, bad, &bob()).await.expect(400);
        assert_eq!(details(&refused)[0]["field"], KEY, "{bad:?}");
    }
    let twice = api.request(Method::POST, "/api/v1/contacts").header(KEY, "a").header(KEY, "a");
    assert_eq!(details(&send(twice.json(&bob())).await.expect(400))[0]["field"], KEY);
    contact(&api, &"~".repeat(255), &bob()).await.expect(201);
}

/// Two instances share only the store.
#[tokio::test]
async fn another_instance_does_not_start_a_request_in_progress() {
    let app = TestApp::postgres().await;
    let key = Key::parse(b"key").expect("a key");
    let request = Request::new(app.team("Acme").id, [1; 16], &key, &[b"content"], app.app.now());
    let elsewhere = || app.app.write_now(|tx| idempotency::once(tx, &request, |_| panic!("started twice")));
    let failed = app.app.write_now(|tx| {
        idempotency::once(tx, &request, |_| {
            assert!(matches!(elsewhere(), Ok(Outcome::InProgress)));
            Err(gatepost::domain::Error::NotFound)
        })
    });
    assert!(failed.is_err());
    let made = app.operate(|tx, _| {
        idempotency::once(tx, &request, |_| {
            assert!(matches!(elsewhere(), Ok(Outcome::InProgress)));
            Ok(Stored {
                location: "/here".into(),
                tag: "\"1\"".into(),
                body: "{}".into(),
                replayed_body: None,
            })
        })
    });
    assert!(matches!(made, Outcome::First(_)));
    let Ok(Outcome::Replayed { location, body }) = elsewhere() else { panic!("no replay") };
    assert_eq!((location.as_str(), body.as_str()), ("/here", "{}"));
}

/// While the first request waits in the store, a retry is refused immediately.
async fn retry_in_progress_is_refused(app: TestApp) {
    let api = api(&app);
    let blocked = app.database.block_writers("contacts");
    let (one, two) = (Box::pin(contact(&api, "key", &bob())), Box::pin(contact(&api, "key", &bob())));
    let (first, other) = match select(one, two).await {
        Either::Left((first, other)) | Either::Right((first, other)) => (first, other),
    };
    assert_eq!(first.expect(409).error_code(), "IDEMPOTENCY_KEY_IN_USE");
    drop(blocked);
    let made = other.await.expect(201);
    assert!(!is_replayed(&made));
    let again = contact(&api, "key", &bob()).await.expect(201);
    assert_eq!((again.location(), is_replayed(&again)), (made.location(), true));
}

// The buffered mode: in the strict mode, the response would wait for the store too.
const BUFFERED: [(&str, &str); 1] = [("GATEPOST_ACTIVITY", "buffered")];

#[tokio::test]
async fn a_request_in_progress_is_not_started_twice_on_sqlite() {
    retry_in_progress_is_refused(TestApp::with_settings(&BUFFERED).await).await;
}

#[tokio::test]
async fn a_request_in_progress_is_not_started_twice_on_postgres() {
    retry_in_progress_is_refused(TestApp::postgres_with_settings(&BUFFERED).await).await;
}
