//! Who may do what: every route, every kind of caller. The routes are read from where they
//! are registered, so that one without a row fails.

mod routes;
mod rows;

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder};

use crate::support::TestApp;
use crate::support::client::{Visitor, send};
use crate::support::people::PASSWORD;
use crate::support::people::Person::{self, Ada, Bea, Cy, Dan};
use rows::{CALLERS, Caller, Row, Sends};

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let routes = routes::all();
    let rows: BTreeSet<String> = rows::all().iter().map(|row| row.route.to_owned()).collect();
    let without_row: Vec<_> = routes.difference(&rows).collect();
    assert!(without_row.is_empty(), "say in access/rows.rs who may do what: {without_row:?}");
    let without_route: Vec<_> = rows.difference(&routes).collect();
    assert!(without_route.is_empty(), "there is no such route: {without_route:?}");
}

#[tokio::test]
async fn pages_open_for_whom_they_should() {
    check(rows::pages()).await;
}

#[tokio::test]
async fn the_api_opens_for_whom_it_should() {
    check(rows::api()).await;
}

#[tokio::test]
async fn only_the_setup_address_makes_the_first_team_and_only_once() {
    let app = TestApp::empty().await;
    let (nobody, key) = (app.visitor(), app.app.sealer().key.setup_key());
    let address = format!("/setup?key={}", *key);
    nobody.get("/activity").await.expect(303);
    nobody.get("/setup").await.expect(404);
    nobody.get(&format!("/setup?key={}", "0".repeat(key.len()))).await.expect(404);
    nobody.get(&address).await.expect(200);
    let person = [("team", "Acme"), ("name", "Ada"), ("email", Ada.email()), ("password", PASSWORD)];
    nobody.post("/setup", &person).await.expect(404);
    let with_key: Vec<_> = person.into_iter().chain([("key", key.as_str())]).collect();
    nobody.post("/setup", &with_key).await.expect(303);
    nobody.get("/activity").await.expect(200);
    nobody.get(&address).await.expect(404);
    app.visitor().post("/setup", &with_key).await.expect(404);
}

/// Calls each route as everybody, in a store of its own.
async fn check(rows: Vec<Row>) {
    let mut wrong = Vec::new();
    for row in rows {
        let cast = Cast::gather().await;
        for (caller, expected) in CALLERS.into_iter().zip(row.expected) {
            let status = cast.call(&row, caller).await;
            if status != expected {
                wrong.push(format!("{} as {caller:?}: {status}, not {expected}", row.route));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Everybody, signed in and with their tokens.
struct Cast {
    app: TestApp,
    people: Vec<(Caller, Visitor)>,
    token: String,
    revoked: String,
    foreign: String,
}

impl Cast {
    async fn gather() -> Self {
        let app = TestApp::sqlite().await;
        app.switch_api("Acme", true);
        app.switch_api("Globex", true);
        let (token, revoked) = (app.token("Acme", "good"), app.token("Acme", "bad"));
        app.api(&revoked).delete("/api/v1/me/token").await.expect(204);
        let foreign = app.token("Globex", "good");
        let sign_in = async |caller, person: Person| (caller, app.as_(person).await);
        let people = vec![
            sign_in(Caller::Stranger, Dan).await,
            sign_in(Caller::Member, Cy).await,
            sign_in(Caller::Admin, Bea).await,
            sign_in(Caller::Owner, Ada).await,
        ];
        Self { people, token, revoked, foreign, app }
    }

    async fn call(&self, row: &Row, caller: Caller) -> u16 {
        let (method, path) = row.route.split_once(' ').expect("a method and a path");
        let thing = (row.thing)(&self.app);
        let path = path.replace("{id}", &thing).replace("{secret}", &thing);
        let path = path.replace("{path:.*}", "css/app.css");
        let request = self.request(caller, method.parse().expect("a method"), &path);
        let request = request.header("Sec-Fetch-Site", "same-origin");
        let fields: Vec<_> =
            row.fields.iter().map(|(name, value)| (*name, value.replace("{id}", &thing))).collect();
        let request = match row.sends {
            Sends::Nothing => request,
            Sends::Form => request.form(&fields),
            Sends::Json => request.json(&fields.into_iter().collect::<std::collections::BTreeMap<_, _>>()),
        };
        send(request).await.status
    }

    fn request(&self, caller: Caller, method: Method, path: &str) -> RequestBuilder {
        let bearer = |token: &str| self.app.api(token).request(method.clone(), path);
        match caller {
            Caller::Nobody => self.app.visitor().request(method, path),
            Caller::Token => bearer(&self.token),
            Caller::RevokedToken => bearer(&self.revoked),
            Caller::ForeignToken => bearer(&self.foreign),
            person => {
                let found = self.people.iter().find(|(each, _)| *each == person);
                found.expect("somebody signed in").1.request(method, path)
            }
        }
    }
}
