//! The resources of the rows, created for each request.

use std::collections::BTreeMap;

use crate::support::TestApp;
use crate::support::mail::letter_with_file;
use crate::support::people::PASSWORD;
use crate::support::raw;
use gatepost::domain::access::activity::{self, Filter};
use gatepost::domain::access::scopes::Scopes;
use gatepost::domain::access::team_key;
use gatepost::domain::access::tokens::{self, Label};
use gatepost::domain::entropy;
use gatepost::domain::jobs;
use gatepost::domain::lists::Window;
use gatepost::domain::mailroom::address::{DomainName, LocalPart};
use gatepost::domain::mailroom::aliases::{self, AliasId, NewAlias};
use gatepost::domain::mailroom::domain_checks::CheckDomain;
use gatepost::domain::mailroom::mail_domains::{self, DomainId};
use gatepost::domain::mailroom::messages::{self, Opened};
use gatepost::domain::people::passwords::{self, Password};
use gatepost::domain::people::roles::MemberRole;
use gatepost::domain::people::users::{NewPerson, PersonName, User};
use gatepost::domain::people::{invitations, sessions};
use gatepost::domain::sealing::hex;
use gatepost::domain::text::EmailAddress;
use serde_json::{Value, json};

pub fn alias(app: &TestApp) -> String {
    let (team, local) = (app.team("Acme").id, LocalPart::parse(&fresh_name(app)).expect("a local part"));
    let shared = &app.app.config().mail.domain;
    let new = NewAlias { local: Some(local), domain: None, note: None };
    app.operate(|tx, actor| aliases::create(tx, actor, team, shared, &new)).id.to_string()
}

pub fn domain(app: &TestApp) -> String {
    let (team, name) = (app.team("Acme").id, DomainName::parse(&format!("{}.test", fresh_name(app))));
    app.operate(|tx, actor| mail_domains::add(tx, actor, team, "gatepost.localhost", &name?)).id.to_string()
}

/// A waiting check of a domain.
pub fn job(app: &TestApp) -> String {
    let (team, domain) = (app.team("Acme").id, DomainId::parse(&domain(app)).expect("an id"));
    app.operate(|tx, actor| jobs::enqueue(tx, actor, &CheckDomain { team, domain }));
    let newest = jobs::Filter { team: Some(team), ..jobs::Filter::default() };
    app.operate(|tx, _| jobs::review::list(tx, &newest, Window::first(1))).rows[0].id.to_string()
}

/// A message with an attachment.
fn received(app: &TestApp) -> Opened {
    let (team, alias) = (app.team("Acme").id, alias(app));
    let id = AliasId::parse(&alias).expect("an id");
    let to = app.app.read_now(|tx| aliases::find(tx, team, id)).expect("an alias").address();
    // Uses a new sender, because earlier senders are already contacts.
    let from = format!("{}@customer.test", fresh_name(app));
    let letter = letter_with_file(&fresh_name(app)).replace("bob@customer.test", &from);
    let message = app.arrives(&from, &to, &letter);
    app.app.read_now(|tx| messages::open(tx, team, message)).expect("a message")
}

pub fn message(app: &TestApp) -> String {
    received(app).message.id.to_string()
}

/// The ids of an attachment's message and of the attachment.
pub fn attachment(app: &TestApp) -> String {
    let opened = received(app);
    format!("{}/{}", opened.message.id, opened.attachments[0].id)
}

/// POSTs to the API and returns the id of the new resource. `{id}` in the fields becomes an unused name.
pub fn posted(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> String {
    let (name, token) = (fresh_name(app), app.token("Acme", &fresh_name(app)));
    let body: BTreeMap<_, _> =
        fields.iter().map(|(field, value)| (field, value.replace("{id}", &name))).collect();
    let headers = [&*format!("Authorization: Bearer {token}"), "Content-Type: application/json"];
    let response = raw::exchange(&app.base, &format!("POST {path}"), &headers, &json!(body).to_string());
    app.flush_now();
    let created: Value = serde_json::from_str(&response.body).expect("JSON");
    created["id"].as_str().unwrap_or_else(|| panic!("{path}: {created}")).to_owned()
}

/// Returns an unused name.
pub fn fresh_name(app: &TestApp) -> String {
    format!("x{}", hex(&entropy::bytes::<4>(&*app.app.entropy())))
}

pub fn acme(app: &TestApp) -> String {
    app.team("Acme").id.to_string()
}

pub fn owner(app: &TestApp) -> String {
    app.team("Acme").owner_id.to_string()
}

pub fn token(app: &TestApp) -> String {
    let (team, label) = (app.team("Acme").id, Label::parse(&fresh_name(app)).expect("a name"));
    let prefix = &app.app.config().token_prefix;
    app.operate(|tx, by| tokens::mint(tx, by, team, &label, Scopes::ALL, prefix)).0.id.to_string()
}

pub fn record(app: &TestApp) -> String {
    let team = app.team("Acme").id;
    let page = app.app.read_now(|tx| activity::list(tx, team, &Filter::default(), Window::first(1)));
    page.expect("a page").rows[0].id.to_string()
}

/// Gives Acme a team key.
pub fn key(app: &TestApp) -> String {
    let team = app.team("Acme").id;
    if app.app.read_now(|tx| team_key::find(tx, team)).expect("a response").is_none() {
        app.operate(|tx, actor| team_key::enable(tx, actor, team, app.app.sealer()));
    }
    String::new()
}

fn invite(app: &TestApp, role: MemberRole) -> (EmailAddress, String) {
    let email = EmailAddress::parse(&format!("{}@acme.test", fresh_name(app))).expect("an address");
    let team = app.team("Acme").id;
    let secret = app.operate(|tx, actor| invitations::invite(tx, actor, team, &email, role));
    (email, secret.to_string())
}

pub fn link(app: &TestApp) -> String {
    invite(app, MemberRole::Member).1
}

pub fn invitation(app: &TestApp) -> String {
    let (email, _) = invite(app, MemberRole::Member);
    let team = app.team("Acme").id;
    let open = app.app.read_now(|tx| invitations::list_open(tx, team)).expect("invitations");
    open.iter().find(|each| each.email == email.as_str()).expect("the invitation").id.to_string()
}

fn join(app: &TestApp, role: MemberRole) -> User {
    let (email, secret) = invite(app, role);
    let password = Password::parse("password", PASSWORD).expect("a password");
    let person = NewPerson {
        email,
        name: PersonName::parse("Someone").expect("a name"),
        password_hash: passwords::hash(&password, &*app.app.entropy()),
    };
    app.operate(|tx, actor| invitations::accept_as_new(tx, actor, &secret, &person)).1
}

pub fn member(app: &TestApp) -> String {
    join(app, MemberRole::Member).id.to_string()
}

pub fn admin(app: &TestApp) -> String {
    join(app, MemberRole::Admin).id.to_string()
}

pub fn session_of_the_owner(app: &TestApp) -> String {
    let (owner, key) = (app.team("Acme").owner_id, fresh_name(app));
    app.operate(|tx, actor| sessions::open(tx, actor, owner, None, &key)).id.to_string()
}
