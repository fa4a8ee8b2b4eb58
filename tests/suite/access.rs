//! Permissions: calls every route as every kind of caller. Fails for a route without a row.

pub mod rows;

use std::collections::BTreeSet;

use gatepost::domain::access::plans::Plan;
use gatepost::domain::access::scopes::{Need, Scope, Scopes};
use gatepost::web::api;
use reqwest::{Method, RequestBuilder};

use crate::architecture::rule::Rule;
use crate::architecture::source::tree;
use crate::support::TestApp;
use crate::support::client::{Visitor, send};
use crate::support::html;
use crate::support::people::PASSWORD;
use crate::support::people::Person::{self, Ada, Bea, Cy, Dan};
use rows::{CALLERS, Caller, Row, Sends};

#[test]
fn routes_and_rows_match() {
    let routes: BTreeSet<String> =
        gatepost::web::routes::all().into_iter().map(|(method, path)| format!("{method} {path}")).collect();
    let rows: BTreeSet<String> = rows::all().iter().map(|row| row.route.to_owned()).collect();
    let without_row: Vec<_> = routes.difference(&rows).collect();
    assert!(without_row.is_empty(), "add rows to access/rows for {without_row:?}");
    let without_route: Vec<_> = rows.difference(&routes).collect();
    assert!(without_route.is_empty(), "these routes don't exist: {without_route:?}");
}

#[test]
fn routes_are_registered_only_by_the_tables() {
    Rule::code_without(
        "a route that no table lists would not be tested",
        r#"\.route\(|\bresource\(|\bscope\("|#\[(?:actix_web::)?(?:get|post|put|patch|delete|route)\("#,
        &["src/web/route.rs", "src/web/routes.rs", "src/web/api/mount.rs"],
    )
    .refuses("src/web/pages/a.rs", "services.service(web::resource(path).route(web::get().to(show)));")
    .refuses("src/web/pages/a.rs", "#[get(\"/a\")] async fn show() {}")
    .permits("src/web/pages/a.rs", "page(paths::CONTACTS).get(list).post(create)")
    .holds_for(&tree("src", "rs"));
}

#[tokio::test]
async fn pages_check_permissions() {
    check(rows::pages()).await;
}

#[tokio::test]
async fn the_api_checks_permissions() {
    check(rows::api()).await;
}

/// Derives the expected scope from the path and method, not from the route's declaration.
#[test]
fn an_operation_requires_the_scope_of_its_noun_and_verb() {
    for (path, method, op) in api::operations() {
        let noun = path.split('/').nth(3).expect("/api, a version and a noun");
        let verb = if method.as_str() == "GET" { "read" } else { "write" };
        let expected = match (noun, verb) {
            ("me", _) => "any token".to_owned(),
            ("api-keys", "write") => "a person".to_owned(),
            ("api-keys", verb) => format!("tokens:{verb}"),
            (noun, verb) => format!("{noun}:{verb}"),
        };
        let needed = match op.need {
            Need::AnyToken => "any token",
            Need::Person => "a person",
            Need::Scope(scope) => scope.as_str(),
        };
        assert_eq!(needed, expected, "{method} {path}");
    }
}

/// Calls each route of the API with a token of each single scope, of all but that one, and of none.
#[tokio::test]
async fn a_token_can_do_only_what_its_scopes_allow() {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    app.set_plan("Acme", Plan::Enterprise);
    let others = |scope| Scope::ALL.into_iter().filter(|other| *other != scope).collect::<Vec<_>>();
    let sets = Scope::ALL.into_iter().flat_map(|scope| [vec![scope], others(scope)]).chain([vec![]]);
    let mint = |scopes| app.token_with("Acme", &rows::fresh_name(&app), scopes);
    let tokens: Vec<_> = sets.map(|set| Scopes::of(&set)).map(|scopes| (scopes, mint(scopes))).collect();
    let mut wrong = Vec::new();
    for row in rows::api() {
        for method in methods(&row) {
            for (scopes, token) in &tokens {
                let token = if row.alone { &mint(*scopes) } else { token };
                let (_, path, fields) = fill(&app, &row);
                let request = app.api(token).request(method.clone(), &path);
                let response = send(with_body(request, &row, fields)).await;
                let has_it = row.scope.is_empty() || scopes.iter().any(|scope| scope.as_str() == row.scope);
                let challenge = format!("error=\"insufficient_scope\", scope=\"{}\"", row.scope);
                let fits = match has_it {
                    true => response.status == row.expected[5],
                    false => {
                        response.status == 403 && response.header("www-authenticate").ends_with(&challenge)
                    }
                };
                if !fits {
                    let (status, body) = (response.status, response.body);
                    wrong.push(format!("{method} of {} with {scopes}: {status} {body}", row.route));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn only_the_setup_link_creates_the_first_team_and_only_once() {
    let app = TestApp::empty().await;
    let (visitor, key) = (app.visitor(), app.app.sealer().key.setup_key());
    let address = format!("/setup?key={}", *key);
    visitor.get("/activity").await.expect(303);
    visitor.get("/setup").await.expect(404);
    visitor.get(&format!("/setup?key={}", "0".repeat(key.len()))).await.expect(404);
    visitor.get(&address).await.expect(200);
    let person = [("team", "Acme"), ("name", "Ada"), ("email", Ada.email()), ("password", PASSWORD)];
    visitor.post("/setup", &person).await.expect(404);
    let with_key: Vec<_> = person.into_iter().chain([("key", key.as_str())]).collect();
    visitor.post("/setup", &with_key).await.expect(303);
    visitor.get("/activity").await.expect(200);
    visitor.get(&address).await.expect(404);
    app.visitor().post("/setup", &with_key).await.expect(404);
}

/// In two tabs with two teams, a form of one team must not change the other.
#[tokio::test]
async fn pages_change_only_their_own_team() {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    let ada = app.as_(Ada).await;
    let other = app.team("Globex").id;
    let mut wrong = Vec::new();
    for row in rows::pages().into_iter().filter(names_a_team) {
        let (method, path, fields) = fill(&app, &row);
        let records = app.database.number("SELECT count(*) AS n FROM activity");
        for team in
            ["", "?team=", "?team=team_1", &format!("?team={other}"), &format!("?team={other}&team={other}")]
        {
            for htmx in [false, true] {
                let request = ada.request(method.clone(), &format!("{path}{team}"));
                let request = request.header("Sec-Fetch-Site", "same-origin");
                let request = if htmx { request.header("HX-Request", "true") } else { request };
                let response = send(with_body(request, &row, fields.clone())).await;
                let says =
                    response.body.contains("This page belongs to another team. Switch teams and try again.");
                if response.status != 409 || !says {
                    wrong.push(format!("{} with {team:?}: {}", row.route, response.status));
                }
            }
        }
        assert_eq!(app.database.number("SELECT count(*) AS n FROM activity"), records, "{}", row.route);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether the row's route changes something for a team, so that its forms must name the team.
fn names_a_team(row: &Row) -> bool {
    let (method, path) = row.route.split_once(' ').expect("a method and a path");
    method != "GET" && !path.starts_with("/api/") && !html::OF_NO_TEAM.contains(&path)
}

#[test]
fn templates_create_forms_with_the_macro_that_names_the_team() {
    let of_no_team = ["SIGN_IN", "SIGN_OUT", "SETUP", "TEAM_SWITCH", "THEME", "INVITATION.of"];
    let allowed = |action: &str| {
        html::is_of_no_team(action)
            || of_no_team.iter().any(|name| action.contains(&format!("paths::{name}")))
    };
    for file in tree("templates", "html").iter().filter(|file| !file.path.ends_with("macros/forms.html")) {
        let posts = file.text.split("method=\"post\"").skip(1);
        for after in posts {
            let action = after.trim_start().strip_prefix("action=\"").and_then(|rest| rest.split('"').next());
            assert!(action.is_some_and(allowed), "{}: {action:?}: use forms::to", file.path);
        }
        for after in file.text.split("hx-post=\"").skip(1) {
            let path = after.split('"').next().unwrap_or_default();
            assert!(allowed(path), "{}: {path}: use forms::to_by_htmx", file.path);
        }
    }
}

/// Calls each route as every caller.
async fn check(rows: Vec<Row>) {
    let mut wrong = Vec::new();
    let shared = Cast::new().await;
    for row in rows {
        let own = if row.alone { Some(Cast::new().await) } else { None };
        let cast = own.as_ref().unwrap_or(&shared);
        for (caller, expected) in CALLERS.into_iter().zip(row.expected) {
            for method in methods(&row) {
                let status = cast.call(&row, &method, caller).await;
                if status != expected {
                    wrong.push(format!("{method} of {} as {caller:?}: {status}, not {expected}", row.route));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The row's method, and HEAD if that is GET.
fn methods(row: &Row) -> Vec<Method> {
    let method = row.route.split(' ').next().and_then(|method| method.parse().ok()).expect("a method");
    if method == Method::GET { vec![method, Method::HEAD] } else { vec![method] }
}

pub type Fields = Vec<(&'static str, String)>;

/// Creates the row's resource, and returns method, path and fields of the request.
pub fn fill(app: &TestApp, row: &Row) -> (Method, String, Fields) {
    let (method, path) = row.route.split_once(' ').expect("a method and a path");
    let thing = row.thing.create(app);
    let (id, part) = thing.split_once('/').unwrap_or((&thing, ""));
    let path = path.replace("{id}", id).replace("{attachment}", part).replace("{secret}", &thing);
    let path = path.replace("{path:.*}", "css/app.css");
    let fields = row.fields.iter().map(|(name, value)| (*name, value.replace("{id}", &thing))).collect();
    (method.parse().expect("a method"), path, fields)
}

pub fn with_body(request: RequestBuilder, row: &Row, fields: Fields) -> RequestBuilder {
    match row.sends {
        Sends::Nothing => request,
        Sends::Form => request.form(&fields),
        Sends::Json => request.json(&fields.into_iter().collect::<std::collections::BTreeMap<_, _>>()),
    }
}

/// All callers, signed in and with their tokens.
struct Cast {
    app: TestApp,
    /// The ids of Acme and Globex, which a row may delete.
    teams: [String; 2],
    people: Vec<(Caller, Visitor)>,
    token: String,
    revoked: String,
    foreign: String,
}

impl Cast {
    async fn new() -> Self {
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
        let teams = ["Acme", "Globex"].map(|team| app.team(team).id.to_string());
        Self { people, token, revoked, foreign, teams, app }
    }

    async fn call(&self, row: &Row, method: &Method, caller: Caller) -> u16 {
        let (_, mut path, fields) = fill(&self.app, row);
        if names_a_team(row) {
            let [acme, globex] = &self.teams;
            path = format!("{path}?team={}", if caller == Caller::Stranger { globex } else { acme });
        }
        let request = self.request(caller, method.clone(), &path).header("Sec-Fetch-Site", "same-origin");
        send(with_body(request, row, fields)).await.status
    }

    fn request(&self, caller: Caller, method: Method, path: &str) -> RequestBuilder {
        let bearer = |token: &str| self.app.api(token).request(method.clone(), path);
        match caller {
            Caller::Visitor => self.app.visitor().request(method, path),
            Caller::Token => bearer(&self.token),
            Caller::RevokedToken => bearer(&self.revoked),
            Caller::ForeignToken => bearer(&self.foreign),
            person => {
                let found = self.people.iter().find(|(each, _)| *each == person);
                found.expect("a signed-in person").1.request(method, path)
            }
        }
    }
}
