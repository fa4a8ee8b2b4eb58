//! Setup and sign-in.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;

use crate::support::client::send;
use crate::support::people::PASSWORD;
use crate::support::people::Person::{Ada, Bea};
use crate::support::{TestApp, both_engines};
use gatepost::domain::Error;
use gatepost::domain::people::passwords::{self, Password};
use gatepost::domain::people::roles::Role;
use gatepost::domain::people::{sessions, users};

fn setup_key(app: &TestApp) -> String {
    app.app.sealer().key.setup_key().to_string()
}

fn form<'a>(key: &'a str, email: &'a str) -> [(&'a str, &'a str); 5] {
    [("key", key), ("team", "Acme"), ("name", "Ada"), ("email", email), ("password", PASSWORD)]
}

#[tokio::test]
async fn the_setup_link_works_once() {
    for app in TestApp::both_empty() {
        let (key, visitor) = (setup_key(&app), app.visitor());
        visitor.get("/setup").await.expect(404);
        visitor.get("/setup?key=0000").await.expect(404);
        visitor.post("/setup", &form("0000", "eve@acme.test")).await.expect(404);
        visitor.get(&format!("/setup?key={key}")).await.expect(200);
        let page = visitor.post_and_follow("/setup", &form(&key, "ada@acme.test")).await.expect(200);
        assert!(page.body.contains("Your team is ready"));
        visitor.get(&format!("/setup?key={key}")).await.expect(404);
        app.visitor().post("/setup", &form(&key, "eve@acme.test")).await.expect(404);
    }
}

/// Sixty million equal bytes compress to less than a page.
#[tokio::test]
async fn a_compressed_form_is_refused_unread() {
    let app = TestApp::sqlite().await;
    for path in ["/sign-in", "/setup", "/team/invitations", "/nothing"] {
        let request = app.visitor().request(Method::POST, path).header("Sec-Fetch-Site", "same-origin");
        let request = request.header("Content-Encoding", "gzip").form(&[("email", "ada@acme.test")]);
        let page = send(request).await.expect(415);
        assert!(page.body.contains("Compressed requests are not accepted"), "{path}: {}", page.body);
    }
    let fields = [("email", Ada.email()), ("password", PASSWORD)];
    let request = app.visitor().request(Method::POST, "/sign-in").header("Sec-Fetch-Site", "same-origin");
    send(request.header("Content-Encoding", "identity").form(&fields)).await.expect(303);
}

#[tokio::test]
async fn concurrent_setups_create_one_team() {
    for app in TestApp::both_empty() {
        let key = setup_key(&app);
        let tries = (0..6).map(|number| {
            let (app, key) = (&app, &key);
            async move {
                let email = format!("ada{number}@acme.test");
                app.visitor().post("/setup", &form(key, &email)).await.status
            }
        });
        let mut responses = join_all(tries).await;
        responses.sort_unstable();
        assert_eq!(responses, [303, 404, 404, 404, 404, 404]);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM users"), 1);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM teams"), 1);
    }
}

#[tokio::test]
async fn errors_are_shown_next_to_their_fields_and_input_is_preserved() {
    for app in TestApp::both_empty() {
        let (key, visitor) = (setup_key(&app), app.visitor());
        let bad =
            [("key", key.as_str()), ("team", "Acme"), ("name", ""), ("email", "ada"), ("password", "short")];
        let response = visitor.post("/setup", &bad).await.expect(422);
        for sentence in ["Enter your name.", "Enter an email address", "Use at least 12 characters"] {
            assert!(response.body.contains(sentence), "{sentence} is missing");
        }
        assert!(response.body.contains("value=\"Acme\"") && !response.body.contains("short\""));
    }
}

#[tokio::test]
async fn before_setup_every_page_redirects_to_instructions() {
    for app in TestApp::both_empty() {
        let visitor = app.visitor();
        let sign_in = visitor.get("/").await.expect(303);
        let page = visitor.get(sign_in.location()).await.expect(200);
        let text = page.page().whole_text();
        assert!(text.contains("isn't set up yet") && text.contains("gatepost setup --team"), "{text}");
        assert!(!page.body.contains(&setup_key(&app)) && !page.page().has("form"));
        visitor.post("/setup", &form(&setup_key(&app), "ada@acme.test")).await.expect(303);
        assert!(app.visitor().get("/sign-in").await.expect(200).page().has("#password"));
    }
}

/// Browsers drop Secure cookies over HTTP, so signing in would only show the sign-in page again.
#[tokio::test]
async fn sign_in_over_plain_http_links_to_https() {
    let app = TestApp::with_settings(&[("GATEPOST_PUBLIC_URL", "https://mail.acme.test")]).await;
    let visitor = app.visitor();
    let plain = send(visitor.request(Method::GET, "/sign-in")).await.expect(200).page();
    assert_eq!(plain.link("https://mail.acme.test/sign-in"), "https://mail.acme.test/sign-in");
    assert!(plain.text(".notice").starts_with("Signing in only works over HTTPS."));
    assert!(!visitor.get("/sign-in").await.expect(200).page().has(".notice"));
    let fields = [("email", Ada.email()), ("password", PASSWORD)];
    for site in [None, Some("same-origin")] {
        let request = visitor.request(Method::POST, "/sign-in").header("Origin", &app.base).form(&fields);
        let request = site.into_iter().fold(request, |request, site| request.header("Sec-Fetch-Site", site));
        let refused = send(request).await.expect(400);
        assert_eq!(refused.page().text("h1"), "Signing in only works over HTTPS");
        assert_eq!(refused.header("set-cookie"), "");
    }
    let secure = visitor.request(Method::POST, "/sign-in").header("Origin", "https://mail.acme.test");
    let entered = send(secure.form(&fields)).await.expect(303);
    assert!(
        !entered.cookie("__Host-gatepost").is_empty()
            && !entered.cookie("__Host-gatepost-browser").is_empty()
    );
}

/// Other hosts of the domain may not support HTTPS.
#[tokio::test]
async fn hsts_covers_this_host_only() {
    for (url, expected) in [("https://mail.acme.test", "max-age=31536000"), ("http://mail.acme.test", "")] {
        let app = TestApp::with_settings(&[("GATEPOST_PUBLIC_URL", url)]).await;
        for path in ["/sign-in", "/api/v1/me"] {
            let response = app.visitor().get(path).await;
            assert_eq!(response.header("strict-transport-security"), expected, "{url}{path}");
        }
    }
}

both_engines! {
    async fn an_unknown_address_and_a_wrong_password_get_the_same_response(app: TestApp) {
        let visitor = app.visitor();
        let unknown = visitor.sign_in("nobody@acme.test", PASSWORD).await.expect(422);
        let wrong = visitor.sign_in(Ada.email(), "wrong horse battery").await.expect(422);
        let same = |body: &str, email: &str| body.replace(email, "EMAIL");
        assert_eq!(same(&unknown.body, "nobody@acme.test"), same(&wrong.body, Ada.email()));
        assert!(wrong.body.contains("Wrong email or password."));
        assert_eq!(wrong.header("set-cookie"), "");
    }

    async fn an_unknown_address_takes_as_long_as_a_wrong_password(app: TestApp) {
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..9 {
            app.clock.advance(Duration::from_secs(15 * 60));
            for (which, email) in ["nobody@acme.test", Ada.email()].into_iter().enumerate() {
                let began = Instant::now();
                app.visitor().sign_in(email, "wrong horse battery").await.expect(422);
                if round > 0 {
                    times[which].push(began.elapsed());
                }
            }
        }
        // Compares minimums, because other load only adds time.
        let least = |each: &Vec<Duration>| each.iter().min().expect("a time").as_secs_f64();
        let (unknown, known) = (least(&times[0]), least(&times[1]));
        // Without the decoy, the ratio is above 5.
        assert!((0.5..2.0).contains(&(unknown / known)), "{unknown} against {known}");
    }

    async fn attempts_are_limited_per_account_and_reset_later(app: TestApp) {
        let visitor = app.visitor();
        for _ in 0..10 {
            visitor.sign_in(Ada.email(), "wrong horse battery").await.expect(422);
        }
        let refused = visitor.sign_in(Ada.email(), PASSWORD).await.expect(429);
        assert!(refused.body.contains("Too many attempts. Try again in"));
        let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
        visitor.sign_in(Bea.email(), PASSWORD).await.expect(303);
        app.clock.advance(Duration::from_secs(seconds));
        visitor.sign_in(Ada.email(), PASSWORD).await.expect(303);
    }

    async fn attempts_are_limited_per_address_too(app: TestApp) {
        let visitor = app.visitor();
        for number in 0..50 {
            visitor.sign_in(&format!("nobody{number}@acme.test"), PASSWORD).await.expect(422);
        }
        visitor.sign_in(Ada.email(), PASSWORD).await.expect(429);
    }

    async fn parallel_attempts_cannot_exceed_the_limit(app: TestApp) {
        let tries = (0..24).map(|_| async { app.visitor().sign_in(Ada.email(), "wrong horse battery").await.status });
        let responses = join_all(tries).await;
        assert_eq!(responses.iter().filter(|&&status| status == 422).count(), 10, "{responses:?}");
    }

    async fn failed_attempts_are_recorded_for_existing_accounts(app: TestApp) {
        app.visitor().sign_in(Ada.email(), "wrong horse battery").await.expect(422);
        app.visitor().sign_in("nobody@acme.test", PASSWORD).await.expect(422);
        let failed = "SELECT count(*) AS n FROM activity WHERE kind = 'session.sign_in_failed'";
        assert_eq!(app.database.number(failed), 1);
        app.visitor().sign_in(Ada.email(), PASSWORD).await.expect(303);
        let entered = "SELECT count(*) AS n FROM activity WHERE kind = 'session.signed_in'";
        assert_eq!(app.database.number(entered), 1);
    }

    async fn sign_in_returns_to_the_requested_page(app: TestApp) {
        let visitor = app.visitor();
        let asked = visitor.get("/team?x=1").await.expect(303);
        assert_eq!(asked.location(), "/sign-in?next=%2Fteam%3Fx%3D1");
        let fields = [("email", Ada.email()), ("password", PASSWORD), ("next", "/team?x=1")];
        assert_eq!(visitor.post("/sign-in", &fields).await.expect(303).location(), "/team?x=1");
    }

    async fn sign_in_never_redirects_to_another_site(app: TestApp) {
        for next in ["/\u{1}", "/\u{0}", "/é", "//evil.test"] {
            let fields = [("email", Ada.email()), ("password", PASSWORD), ("next", next)];
            assert_eq!(app.visitor().post("/sign-in", &fields).await.expect(303).location(), "/");
        }
    }

    async fn a_visitor_has_no_role(app: TestApp) {
        let (acme, actor) = (app.team("Acme").id, app.app.visitor());
        for role in [Role::Member, Role::Admin, Role::Owner] {
            let refused = [
                app.app.write_now(|tx| actor.require(tx, acme, role)),
                app.app.write_now(|tx| actor.require_or_token(tx, acme, role)),
            ];
            assert!(refused.iter().all(|each| matches!(each, Err(Error::Forbidden(_)))), "{role}: {refused:?}");
        }
    }

    /// The password is checked outside a transaction, so the result can be outdated.
    async fn a_password_changed_during_sign_in_is_refused(app: TestApp) {
        let verified = app.user(Ada);
        let hash = passwords::hash(&Password::unchecked("another horse battery"), &*app.app.entropy());
        app.operate(|tx, actor| users::change_password(tx, actor, verified.id, &hash, None));
        let actor = app.app.operator();
        let opened = app.app.write_now(|tx| sessions::open_verified(tx, &actor, &verified, None, "key"));
        assert!(matches!(opened, Err(Error::NotFound)));
        assert_eq!(app.database.number("SELECT count(*) AS n FROM sessions"), 0);
    }
}

#[tokio::test]
async fn browser_setup_is_recorded_with_the_owner_as_actor() {
    for app in TestApp::both_empty() {
        app.visitor().post("/setup", &form(&setup_key(&app), "ada@acme.test")).await.expect(303);
        let actor = "SELECT DISTINCT actor_kind || ' ' || actor_label AS t FROM activity";
        assert_eq!(app.database.texts(actor), ["person ada@acme.test"]);
    }
}
