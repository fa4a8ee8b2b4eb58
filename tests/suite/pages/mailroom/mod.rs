//! The mailroom's pages.

mod aliases;
mod contacts;
mod domains;
mod inbox;
mod message;
mod undo;

use gatepost::domain::mailroom::address::LocalPart;
use gatepost::domain::mailroom::aliases::{Alias, NewAlias, create};

use crate::support::TestApp;
use crate::support::client::Visitor;
use crate::support::people::Person::Dan;

/// Checks that each of these requests gets 404 for another team, and changes nothing.
async fn assert_only_its_team_finds(app: &TestApp, reads: &[String], writes: &[(String, &[(&str, &str)])]) {
    let dan: Visitor = app.as_(Dan).await;
    for path in reads {
        dan.get(path).await.expect(404);
    }
    for (path, fields) in writes {
        dan.post(path, fields).await.expect(404);
    }
}

/// Creates an alias of Acme on the shared domain.
fn alias(app: &TestApp, local: &str) -> Alias {
    let (team, shared) = (app.team("Acme").id, app.app.mail_settings().domain.clone());
    let new = NewAlias { local: LocalPart::parse(local).ok(), domain: None, note: None };
    app.operate(|tx, actor| create(tx, actor, team, &shared, &new))
}

fn letter(from: &str, subject: &str) -> String {
    format!("From: {from}\nSubject: {subject}\nMessage-ID: <{subject}@customer.test>\n\nText of {subject}.\n")
}
