//! Limits on password guesses, which never lock out the account's owner.

use std::net::IpAddr;
use std::time::Duration;

use super::cookie;
use crate::support::client::{Visitor, send};
use crate::support::people::PASSWORD;
use crate::support::people::Person::{Ada, Bea};
use crate::support::{TestApp, both_engines};
use gatepost::domain::actor::Actor;
use gatepost::domain::people::browsers::Presented;
use gatepost::domain::people::sign_in;
use gatepost::domain::text::EmailAddress;
use gatepost::domain::{Error, Result};
use reqwest::Method;

const WRONG: &str = "wrong horse battery";
const OFF: [(&str, &str); 2] = [("state", "off"), ("password", PASSWORD)];

/// Uses up the attempts of a stranger in the same network.
async fn exhaust_attempts(app: &TestApp, email: &str) {
    for _ in 0..10 {
        app.visitor().sign_in(email, WRONG).await.expect(422);
    }
    app.visitor().sign_in(email, PASSWORD).await.expect(429);
}

/// Makes a stranger's attempt from this address; returns false if it is over the limit.
fn attempt(app: &TestApp, email: &str, from: u128, right: bool) -> bool {
    let mut actor: Actor = app.app.visitor();
    actor.ip = Some(IpAddr::V6(from.into()));
    let email = EmailAddress::parse(email).expect("an address");
    let stranger = Presented::new(app.app.sealer().key.clone(), None);
    let done: Result<()> = app.app.write_now(|tx| {
        let (_, counted) = sign_in::count_attempt(tx, &actor, &email, &stranger)?;
        if right { sign_in::give_back_attempt(tx, &counted) } else { Ok(()) }
    });
    match done {
        Ok(()) => true,
        Err(Error::TooMany { .. }) => false,
        Err(other) => panic!("{other:?}"),
    }
}

/// Returns an address in the n-th /64 of a /48.
fn network(number: u128, host: u128) -> u128 {
    (0x2001_0db8_0001 << 80) + (number << 64) + host
}

async fn browser_cookie(app: &TestApp) -> (Visitor, String) {
    let ada = app.visitor();
    let entered = ada.sign_in(Ada.email(), PASSWORD).await.expect(303);
    (ada, format!("gatepost-browser={}", entered.cookie("gatepost-browser")))
}

async fn sign_in_with_cookie(app: &TestApp, cookie: &str, email: &str, password: &str) -> u16 {
    let form = [("email", email), ("password", password)];
    let request = app.visitor().request(Method::POST, "/sign-in").header("Cookie", cookie);
    send(request.header("Sec-Fetch-Site", "same-origin").form(&form)).await.status
}

both_engines! {
    async fn strangers_cannot_lock_out_a_known_browser(app: TestApp) {
        let (ada, known) = browser_cookie(&app).await;
        ada.post("/sign-out", &[]).await.expect(303);
        exhaust_attempts(&app, Ada.email()).await;
        assert_eq!(sign_in_with_cookie(&app, &known, Ada.email(), PASSWORD).await, 303);
        ada.sign_in(Ada.email(), PASSWORD).await.expect(303);
    }

    async fn strangers_cannot_block_password_confirmation(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        app.clock.advance(Duration::from_secs(1800));
        exhaust_attempts(&app, Ada.email()).await;
        ada.post("/developer/api", &[("state", "off")]).await.expect(403);
        ada.post("/developer/api", &OFF).await.expect(303);
    }

    async fn a_known_browser_has_its_own_limit(app: TestApp) {
        let (_, known) = browser_cookie(&app).await;
        for _ in 0..10 {
            assert_eq!(sign_in_with_cookie(&app, &known, Ada.email(), WRONG).await, 422);
        }
        assert_eq!(sign_in_with_cookie(&app, &known, Ada.email(), PASSWORD).await, 429);
        app.visitor().sign_in(Ada.email(), PASSWORD).await.expect(303);
        app.clock.advance(Duration::from_secs(15 * 60));
        assert_eq!(sign_in_with_cookie(&app, &known, Ada.email(), PASSWORD).await, 303);
    }

    async fn the_known_browser_cookie_grants_and_reveals_nothing(app: TestApp) {
        let ada = app.visitor();
        let entered = ada.sign_in(Ada.email(), PASSWORD).await.expect(303);
        let set = entered.headers.get_all("set-cookie").iter().filter_map(|it| it.to_str().ok());
        let set = set.into_iter().find(|it| it.starts_with("gatepost-browser=")).expect("the cookie").to_owned();
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"] {
            assert!(set.contains(part), "{part} is missing: {set}");
        }
        let (known, id) = (set.split(';').next().expect("a value"), app.user(Ada).id.to_string());
        let named = id.split_once('_').expect("a prefix").1;
        assert!(!known.contains(Ada.email()) && !known.contains(named), "{known}");
        let page = app.visitor().request(Method::GET, "/account").header("Cookie", known);
        send(page).await.expect(303);

        let forged = format!("{}0", &known[..known.len() - 1]);
        let forged = if forged == known { format!("{}1", &known[..known.len() - 1]) } else { forged };
        exhaust_attempts(&app, Ada.email()).await;
        exhaust_attempts(&app, Bea.email()).await;
        assert_eq!(sign_in_with_cookie(&app, &forged, Ada.email(), PASSWORD).await, 429);
        assert_eq!(sign_in_with_cookie(&app, known, Bea.email(), PASSWORD).await, 429, "the cookie is only for Ada");
        assert_eq!(sign_in_with_cookie(&app, known, Ada.email(), PASSWORD).await, 303);
    }

    async fn a_new_password_forgets_other_browsers(app: TestApp) {
        let (_, elsewhere) = browser_cookie(&app).await;
        let (ada, _) = browser_cookie(&app).await;
        let change = [("current", PASSWORD), ("password", "another horse altogether")];
        let changed = ada.post("/account/password", &change).await.expect(303);
        cookie(&changed);
        let here = format!("gatepost-browser={}", changed.cookie("gatepost-browser"));
        for _ in 0..10 {
            app.visitor().sign_in(Ada.email(), WRONG).await.expect(422);
        }
        assert_eq!(sign_in_with_cookie(&app, &elsewhere, Ada.email(), PASSWORD).await, 429);
        assert_eq!(sign_in_with_cookie(&app, &here, Ada.email(), change[1].1).await, 303);
    }

    async fn password_confirmation_is_limited_per_session(app: TestApp) {
        app.switch_api("Acme", true);
        let (thief, ada) = (app.as_(Ada).await, app.as_(Ada).await);
        app.clock.advance(Duration::from_secs(1800));
        for _ in 0..10 {
            thief.post("/developer/api", &[("state", "off"), ("password", WRONG)]).await.expect(403);
        }
        thief.post("/developer/api", &OFF).await.expect(429);
        app.visitor().sign_in(Ada.email(), PASSWORD).await.expect(303);
        ada.post("/developer/api", &OFF).await.expect(303);
    }

    async fn guesses_count_by_account_and_network(app: TestApp) {
        for host in 0..10 {
            assert!(attempt(&app, Ada.email(), network(1, host), false));
        }
        assert!(!attempt(&app, Ada.email(), network(1, 77), false), "another address of the same /64");
        assert!(attempt(&app, Ada.email(), network(2, 0), false));
        assert!(attempt(&app, Bea.email(), network(1, 0), false));
    }

    /// An address without an account is limited the same way.
    async fn guesses_from_many_networks_are_limited(app: TestApp) {
        let (ada, known) = browser_cookie(&app).await;
        let signed_in = app.as_(Ada).await;
        app.clock.advance(Duration::from_secs(3600));
        for email in [Ada.email(), "nobody@acme.test"] {
            let tries = (0..110).filter(|number| attempt(&app, email, network(*number, 1), false)).count();
            assert_eq!(tries, 100, "{email}");
            assert!(!attempt(&app, email, network(500, 1), true));
        }
        assert_eq!(sign_in_with_cookie(&app, &known, Ada.email(), PASSWORD).await, 303);
        signed_in.post("/developer/api", &OFF).await.expect(303);
        drop(ada);
        app.clock.advance(Duration::from_secs(3600));
        assert!(attempt(&app, Ada.email(), network(500, 1), true));
    }

    async fn correct_passwords_do_not_count_as_attempts(app: TestApp) {
        for number in 0..120 {
            assert!(attempt(&app, &format!("person{number}@acme.test"), network(1, number), true));
            assert!(attempt(&app, Ada.email(), network(1, number), true));
        }
        let wrong = (0..60).filter(|n| attempt(&app, &format!("person{n}@acme.test"), network(1, 1), false));
        assert_eq!(wrong.count(), 50);
    }

    async fn counters_are_bounded_and_a_flood_displaces_only_itself(app: TestApp) {
        for host in 0..9 {
            assert!(attempt(&app, Ada.email(), network(1, host), false));
        }
        let bytes = match app.database.url().starts_with("postgres") {
            true => "convert_to(n::text, 'UTF8')",
            false => "CAST(n AS BLOB)",
        };
        let start = app.database.number("SELECT max(window_start) AS n FROM attempts");
        let numbers = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 25000)";
        let flood = format!("INSERT INTO attempts (key, window_start, count) {numbers} SELECT {bytes}, {start}, 1 FROM c");
        app.database.execute(&flood).expect("a flood");
        for number in 0..20 {
            attempt(&app, Bea.email(), network(2, number), false);
        }
        assert!(app.database.number("SELECT count(*) AS n FROM attempts") <= 20_000);
        assert!(attempt(&app, Ada.email(), network(1, 0), false));
        assert!(!attempt(&app, Ada.email(), network(1, 0), false), "her counter was dropped");
    }
}
