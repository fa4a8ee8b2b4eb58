//! The status of each route for each kind of caller.

mod nouns;
pub mod things;

use gatepost::domain::access::scopes::Need;
use gatepost::web::api;

use crate::support::TestApp;
use crate::support::people::PASSWORD;
use things::*;
pub use things::{fresh_name, message};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Visitor,
    Stranger,
    Member,
    Admin,
    Owner,
    Token,
    RevokedToken,
    /// A token of the stranger's team.
    ForeignToken,
}

/// In the order in which a row lists its statuses.
pub const CALLERS: [Caller; 8] = [
    Caller::Visitor,
    Caller::Stranger,
    Caller::Member,
    Caller::Admin,
    Caller::Owner,
    Caller::Token,
    Caller::RevokedToken,
    Caller::ForeignToken,
];

#[derive(Clone, Copy)]
pub enum Sends {
    Nothing,
    Form,
    Json,
}

/// A resource created in the team Acme for each request, and identified by its id.
#[derive(Clone, Copy)]
pub enum Thing {
    By(fn(&TestApp) -> String),
    /// Created by the API: a POST to this path with these fields.
    Posted(&'static str, Fields),
}

impl Thing {
    pub fn create(self, app: &TestApp) -> String {
        match self {
            Self::By(create) => create(app),
            Self::Posted(path, fields) => things::posted(app, path, fields),
        }
    }
}

/// Names and values. `{id}` in a value is the resource's id.
type Fields = &'static [(&'static str, &'static str)];

#[derive(Clone, Copy)]
pub struct Row {
    pub route: &'static str,
    pub expected: [u16; 8],
    /// The resource in the path.
    pub thing: Thing,
    pub sends: Sends,
    pub fields: Fields,
    /// The scope a token must have here; empty if every token gets the same response.
    pub scope: &'static str,
    /// Whether its calls end sessions, tokens, roles or API access, which other rows need.
    pub alone: bool,
}

impl Row {
    fn of(self, thing: fn(&TestApp) -> String) -> Self {
        self.about(Thing::By(thing))
    }

    fn about(self, thing: Thing) -> Self {
        Self { thing, ..self }
    }

    fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    fn with(self, fields: Fields) -> Self {
        Self { fields, ..self }
    }
}

/// The statuses for a visitor, stranger, member, admin and owner. No token opens a page.
fn page(route: &'static str, expected: [u16; 5]) -> Row {
    let [visitor, stranger, member, admin, owner] = expected;
    let expected = [visitor, stranger, member, admin, owner, visitor, visitor, visitor];
    let sends = if route.starts_with("GET") { Sends::Nothing } else { Sends::Form };
    Row { route, expected, thing: Thing::By(fresh_name), sends, fields: &[], scope: "", alone: false }
}

/// The statuses for a visitor, stranger, member, admin and owner (by session), and for a token, a revoked
/// token and the stranger's token. Each active token has the route's scope.
fn endpoint(route: &'static str, expected: [u16; 8]) -> Row {
    let bodiless = route.starts_with("GET") || route.starts_with("DELETE");
    let sends = if bodiless { Sends::Nothing } else { Sends::Json };
    let (thing, scope) = (Thing::By(fresh_name), scope_of(route));
    Row { route, expected, thing, sends, fields: &[], scope, alone: false }
}

/// Returns the scope that the route declares.
fn scope_of(route: &str) -> &'static str {
    let found = api::operations().find(|(path, method, _)| format!("{method} {path}") == route);
    match found.map(|(.., op)| op.need) {
        Some(Need::Scope(scope)) => scope.as_str(),
        _ => "",
    }
}

pub fn all() -> Vec<Row> {
    pages().into_iter().chain(api()).collect()
}

pub fn pages() -> Vec<Row> {
    let all =
        [public_pages(), people_pages(), inbox(), developer(), activities(), addresses(), nouns::pages()];
    all.into_iter().flatten().collect()
}

pub fn api() -> Vec<Row> {
    [access(), mailroom(), nouns::api()].into_iter().flatten().collect()
}

fn public_pages() -> Vec<Row> {
    const WRONG: &[(&str, &str)] = &[("email", "nobody@acme.test"), ("password", PASSWORD)];
    const JOINING: &[(&str, &str)] = &[("name", "Eve"), ("password", PASSWORD)];
    vec![
        page("GET /", [303, 200, 200, 200, 200]),
        page("GET /healthz", [200, 200, 200, 200, 200]),
        page("GET /readyz", [200, 200, 200, 200, 200]),
        page("GET /static/{path:.*}", [200, 200, 200, 200, 200]),
        page("GET /api/v1/openapi.json", [200, 200, 200, 200, 200]),
        // The instance is already set up.
        page("GET /setup", [404, 404, 404, 404, 404]),
        page("POST /setup", [404, 404, 404, 404, 404]),
        page("GET /sign-in", [200, 200, 200, 200, 200]),
        page("POST /sign-in", [422, 422, 422, 422, 422]).with(WRONG),
        page("POST /sign-out", [303, 303, 303, 303, 303]).alone(),
        // The link is for an address without an account, so every signed-in person has another address.
        page("GET /invitations/{secret}", [200, 200, 200, 200, 200]).of(link),
        page("POST /invitations/{secret}", [303, 409, 409, 409, 409]).of(link).with(JOINING),
    ]
}

fn people_pages() -> Vec<Row> {
    const PASSWORDS: &[(&str, &str)] = &[("current", PASSWORD), ("password", "another long password")];
    const MEMBER: &[(&str, &str)] = &[("email", "{id}@acme.test"), ("role", "member")];
    const ADMIN: &[(&str, &str)] = &[("email", "{id}@acme.test"), ("role", "admin")];
    // The stranger's team has another name.
    const GONE: &[(&str, &str)] = &[("name", "Acme"), ("password", PASSWORD)];
    const TO: &[(&str, &str)] = &[("to", "{id}"), ("name", "Acme"), ("password", PASSWORD)];
    vec![
        page("POST /teams/switch", [303, 404, 303, 303, 303]).of(acme).with(&[("team", "{id}")]).alone(),
        page("GET /team", [303, 200, 200, 200, 200]),
        page("GET /team/invitations", [303, 200, 403, 200, 200]),
        page("POST /team/invitations", [303, 200, 403, 200, 200]).with(MEMBER),
        page("POST /team/invitations", [303, 200, 403, 403, 200]).with(ADMIN),
        page("POST /team/invitations/{id}/revoke", [303, 404, 403, 303, 303]).of(invitation),
        page("GET /team/people/{id}/role", [303, 404, 403, 403, 200]).of(admin),
        page("POST /team/people/{id}/role", [303, 404, 403, 403, 303]).of(admin).with(&[("role", "member")]),
        page("POST /team/people/{id}/role", [303, 404, 403, 403, 303]).of(member).with(&[("role", "admin")]),
        page("GET /team/people/{id}/remove", [303, 404, 403, 200, 200]).of(member),
        page("GET /team/people/{id}/remove", [303, 404, 403, 403, 200]).of(admin),
        page("POST /team/people/{id}/remove", [303, 404, 403, 303, 303]).of(member),
        page("POST /team/people/{id}/remove", [303, 404, 403, 403, 303]).of(admin),
        page("POST /team/people/{id}/remove", [303, 404, 409, 409, 409]).of(owner),
        page("GET /settings", [303, 200, 200, 200, 200]),
        // The name of the stranger's team is taken by then.
        page("POST /settings/name", [303, 409, 403, 403, 303]).with(&[("team", "Acme")]),
        page("POST /settings/export", [303, 200, 403, 403, 200]),
        page("GET /settings/delete", [303, 200, 403, 403, 200]),
        page("POST /settings/delete", [303, 422, 403, 403, 303]).with(GONE).alone(),
        page("GET /team/transfer", [303, 200, 403, 403, 200]),
        page("POST /team/transfer", [303, 404, 403, 403, 303]).of(member).with(TO).alone(),
        page("GET /account", [303, 200, 200, 200, 200]),
        page("POST /account/theme", [303, 303, 303, 303, 303]).with(&[("theme", "dark")]),
        page("POST /account/single-keys", [303, 303, 303, 303, 303]).with(&[("state", "off")]),
        page("GET /style", [303, 200, 200, 200, 200]),
        page("GET /search", [303, 200, 200, 200, 200]),
        page("GET /shortcuts", [303, 200, 200, 200, 200]),
        page("POST /account/name", [303, 303, 303, 303, 303]).with(&[("name", "{id}")]),
        page("POST /account/password", [303, 303, 303, 303, 303]).with(PASSWORDS).alone(),
        page("POST /account/sessions/revoke-others", [303, 303, 303, 303, 303]).alone(),
        // People can end only their own sessions, whatever their role.
        page("POST /account/sessions/{id}/revoke", [303, 404, 404, 404, 303]).of(session_of_the_owner),
    ]
}

fn inbox() -> Vec<Row> {
    let (shown, gone) = ([303, 404, 200, 200, 200], [303, 404, 303, 303, 303]);
    vec![
        page("GET /inbox", [303, 200, 200, 200, 200]),
        // Without htmx, the request redirects to the list.
        page("GET /inbox/news", [303, 303, 303, 303, 303]),
        page("GET /inbox/unread", [303, 303, 303, 303, 303]),
        page("POST /inbox/chosen", gone).of(message).with(&[("do", "archive"), ("id", "{id}")]),
        page("POST /inbox/alias", [303, 303, 303, 303, 303]),
        page("POST /inbox/test", [303, 303, 303, 303, 303]),
        page("GET /inbox/{id}", shown).of(message),
        page("GET /inbox/{id}/delete", shown).of(message),
        page("POST /inbox/{id}/delete", gone).of(message),
        page("GET /inbox/{id}/html", shown).of(message),
        page("GET /inbox/{id}/source", shown).of(message),
        page("GET /inbox/{id}/raw", shown).of(message),
        page("GET /inbox/{id}/attachments/{attachment}", shown).of(attachment),
    ]
}

fn developer() -> Vec<Row> {
    const NAME: &[(&str, &str)] = &[("name", "{id}")];
    vec![
        page("GET /developer", [303, 200, 200, 200, 200]),
        page("GET /settings/api", [308, 308, 308, 308, 308]),
        page("GET /developer/usage", [303, 200, 403, 200, 200]),
        page("GET /developer/settings", [303, 200, 403, 200, 200]),
        page("GET /developer/api", [303, 200, 403, 403, 200]),
        page("POST /developer/api", [303, 303, 403, 403, 303]).with(&[("state", "off")]).alone(),
        page("GET /developer/docs", [303, 200, 200, 200, 200]),
        page("GET /developer/docs/all", [303, 200, 200, 200, 200]),
        page("GET /developer/docs/{id}", [303, 200, 200, 200, 200]).of(resource),
        page("POST /developer/docs/language", [303, 303, 303, 303, 303]).with(&[("language", "python")]),
        page("GET /developer/docs/try/{id}", [303, 200, 403, 200, 200]).of(operation),
        page("POST /developer/docs/try/{id}", [303, 200, 403, 200, 200]).of(operation),
        page("GET /developer/tokens", [303, 303, 403, 303, 303]),
        page("POST /developer/tokens", [303, 200, 403, 200, 200]).with(NAME),
        page("GET /developer/tokens/new", [303, 200, 403, 200, 200]),
        page("GET /developer/tokens/{id}", [303, 404, 403, 200, 200]).of(token),
        page("GET /developer/tokens/{id}/rename", [303, 404, 403, 200, 200]).of(token),
        page("GET /developer/tokens/{id}/cap", [303, 404, 403, 200, 200]).of(token),
        page("POST /developer/tokens/{id}/rename", [303, 404, 403, 303, 303]).of(token).with(NAME),
        page("POST /developer/tokens/{id}/cap", [303, 404, 403, 303, 303]).of(token).with(&[("cap", "100")]),
        page("GET /developer/tokens/{id}/revoke", [303, 404, 403, 200, 200]).of(token),
        page("POST /developer/tokens/{id}/revoke", [303, 404, 403, 303, 303]).of(token),
        page("POST /developer/team-key", [303, 200, 403, 403, 200]).alone(),
        page("POST /developer/team-key/show", [303, 404, 403, 200, 200]).of(key),
        page("GET /developer/team-key/regenerate", [303, 404, 403, 200, 200]).of(key),
        page("POST /developer/team-key/regenerate", [303, 404, 403, 200, 200]).of(key),
        page("GET /developer/team-key/disable", [303, 404, 403, 403, 200]).of(key),
        // The stranger's team has no key, so nothing changes.
        page("POST /developer/team-key/disable", [303, 303, 403, 403, 303]).of(key).alone(),
    ]
}

fn activities() -> Vec<Row> {
    vec![
        page("GET /activity", [303, 200, 403, 200, 200]),
        page("GET /activity/export", [303, 200, 403, 200, 200]),
        page("GET /activity/{id}", [303, 404, 403, 200, 200]).of(record),
        page("GET /jobs", [303, 200, 403, 403, 200]),
        page("GET /jobs/{id}/retry", [303, 404, 403, 403, 200]).of(job),
        page("POST /jobs/{id}/retry", [303, 404, 403, 403, 303]).of(job),
        page("GET /jobs/{id}/drop", [303, 404, 403, 403, 200]).of(job),
        page("POST /jobs/{id}/drop", [303, 404, 403, 403, 303]).of(job),
    ]
}

/// Other pages about aliases and domains.
fn addresses() -> Vec<Row> {
    const NAME: Fields = &[("name", "{id}.test")];
    const CONTACT: Thing = Thing::Posted("/api/v1/contacts", &[("address", "{id}@customer.test")]);
    let (everybody, members) = ([303, 200, 200, 200, 200], [303, 404, 200, 200, 200]);
    let (members_do, admins_do) = ([303, 404, 303, 303, 303], [303, 404, 403, 303, 303]);
    vec![
        page("POST /aliases/chosen", members_do).of(alias).with(&[("id", "{id}"), ("do", "off")]),
        page("POST /contacts/chosen", members_do).about(CONTACT).with(&[("id", "{id}"), ("do", "blocked")]),
        page("GET /domains/new", [303, 200, 403, 200, 200]),
        page("POST /aliases/{id}/note", members_do).of(alias),
        page("POST /aliases/{id}/switch", members_do).of(alias).with(&[("state", "off")]),
        page("GET /domains", everybody),
        page("POST /domains", [303, 303, 403, 303, 303]).with(NAME),
        page("GET /domains/{id}", members).of(domain),
        page("POST /domains/{id}/check", admins_do).of(domain),
        page("POST /domains/{id}/catch-all", admins_do).of(domain),
        page("GET /domains/{id}/remove", [303, 404, 403, 200, 200]).of(domain),
        page("POST /domains/{id}/remove", admins_do).of(domain),
    ]
}

fn access() -> Vec<Row> {
    const NAME: &[(&str, &str)] = &[("name", "{id}")];
    let open = [401, 200, 403, 200, 200, 200, 401, 200];
    vec![
        endpoint("GET /api/v1/me", open),
        endpoint("DELETE /api/v1/me/token", [401, 403, 403, 403, 403, 204, 401, 204]).alone(),
        endpoint("GET /api/v1/team", open),
        endpoint("GET /api/v1/team/people", open),
        endpoint("GET /api/v1/api-keys", open),
        endpoint("POST /api/v1/api-keys", [401, 201, 403, 201, 201, 403, 401, 403]).with(NAME),
        endpoint("GET /api/v1/api-keys/{id}", [401, 404, 403, 200, 200, 200, 401, 404]).of(token),
        endpoint("PATCH /api/v1/api-keys/{id}", [401, 404, 403, 200, 200, 403, 401, 403])
            .of(token)
            .with(NAME),
        endpoint("DELETE /api/v1/api-keys/{id}", [401, 404, 403, 204, 204, 403, 401, 403]).of(token),
    ]
}

/// The statuses of the mailroom's routes, the same for people and tokens of the team.
const LISTED: [u16; 8] = [401, 200, 403, 200, 200, 200, 401, 200];
const CREATED: [u16; 8] = [401, 201, 403, 201, 201, 201, 401, 201];
const FOUND: [u16; 8] = [401, 404, 403, 200, 200, 200, 401, 404];
const DELETED: [u16; 8] = [401, 404, 403, 204, 204, 204, 401, 404];

fn mailroom() -> Vec<Row> {
    vec![
        endpoint("POST /api/v1/domains/{id}/check", FOUND).of(domain),
        endpoint("GET /api/v1/messages", LISTED),
        endpoint("GET /api/v1/messages/{id}", FOUND).of(message),
        endpoint("PATCH /api/v1/messages/{id}", FOUND).of(message),
        endpoint("DELETE /api/v1/messages/{id}", DELETED).of(message),
        endpoint("GET /api/v1/messages/{id}/raw", FOUND).of(message),
        endpoint("GET /api/v1/messages/{id}/attachments/{attachment}", FOUND).of(attachment),
    ]
}

/// The route belongs to no team: the API is the same for everyone.
fn operation(_: &TestApp) -> String {
    "list-aliases".into()
}

fn resource(_: &TestApp) -> String {
    "aliases".into()
}
