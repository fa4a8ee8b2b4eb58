//! A team with rows in every table.

use std::collections::BTreeMap;
use std::time::Duration;

use gatepost::app::hourly_counts;
use gatepost::app::jobs::Running;
use gatepost::domain::jobs;
use gatepost::domain::mailroom::address::DomainName;
use gatepost::domain::mailroom::domain_checks::CheckDomain;
use gatepost::domain::mailroom::{aliases, mail_domains};
use gatepost::domain::people::teams::TeamId;
use reqwest::Method;
use serde_json::json;

use crate::support::TestApp;
use crate::support::client::Visitor;
use crate::support::mail::letter_with_file;
use crate::support::people::{PASSWORD, Person};

pub struct Filled {
    pub id: TeamId,
    pub token: String,
    /// Secrets that must never appear again: tokens, the team key, a link, hashes.
    pub secrets: Vec<String>,
}

/// Fills a team. `word` is in its names, and its domain is `WORD.test`.
pub async fn fill(app: &TestApp, team: &str, owner: Person, word: &str) -> Filled {
    let (id, domain, visitor) = (app.team(team).id, format!("{word}.test"), app.as_(owner).await);
    app.switch_api(team, true);
    let (token, revoked) = (app.token(team, "ci"), app.token(team, "old"));
    app.api(&revoked).delete("/api/v1/me/token").await.expect(204);
    add_domain(app, team, &domain);
    add_mail(app, team, word);
    let api = app.api(&token);
    let created = api.request(Method::POST, "/api/v1/contacts").header("Idempotency-Key", word);
    let contact = json!({"address": format!("added@{domain}"), "note": "by hand"});
    crate::support::client::send(created.json(&contact)).await.expect(201);
    let (link, key) = (invite(&visitor, word).await, team_key(&visitor).await);
    app.flush().await;
    app.clock.advance(Duration::from_secs(3 * 3600));
    hourly_counts::count(&app.app, app.app.now(), &Running::unstoppable()).await.expect("counts");
    let hashes = format!(
        "SELECT {} AS t FROM tokens UNION ALL SELECT password_hash FROM users
         UNION ALL SELECT {} FROM invitations UNION ALL SELECT {} FROM sessions",
        app.database.hex("hash"),
        app.database.hex("secret_hash"),
        app.database.hex("key_hash")
    );
    let mut secrets = app.database.texts(&hashes);
    secrets.extend([token.clone(), revoked, link, key]);
    Filled { id, token, secrets }
}

fn add_domain(app: &TestApp, team: &str, name: &str) {
    let (id, parsed) = (app.team(team).id, DomainName::parse(name).expect("a name"));
    app.operate(|tx, actor| {
        let domain = mail_domains::add(tx, actor, id, "gatepost.localhost", &parsed)?.id;
        jobs::enqueue(tx, actor, &CheckDomain { team: id, domain })
    });
    let verified = format!("UPDATE domains SET verified_at = created_at WHERE name = '{name}'");
    assert_eq!(app.database.execute(&verified), Ok(1));
}

/// Delivered and refused mail, on the shared domain and on the team's own.
fn add_mail(app: &TestApp, team: &str, word: &str) {
    let (id, domain) = (app.team(team).id, format!("{word}.test"));
    let shared = app.alias(team, word);
    app.alias_on(team, "own", Some(&domain));
    let old = app.alias(team, &format!("{word}-old"));
    let (bob, spam) = (format!("bob@{word}.customer.test"), format!("spam@{word}.customer.test"));
    for (number, to) in [shared.address(), format!("own@{domain}"), old.address()].iter().enumerate() {
        for from in [&bob, &spam] {
            let id = format!("{word}-{number}-{}", &from[..1]);
            app.arrives(from, to, &letter_with_file(&id).replace("bob@customer.test", from));
        }
    }
    let block = format!("UPDATE contacts SET state = 'blocked' WHERE address = '{spam}'");
    assert_eq!(app.database.execute(&block), Ok(1));
    let refused = letter_with_file(&format!("{word}-refused")).replace("bob@customer.test", &spam);
    app.arrives(&spam, &shared.address(), &refused);
    app.operate(|tx, actor| aliases::delete(tx, actor, id, old.id));
}

async fn invite(owner: &Visitor, word: &str) -> String {
    let email = format!("new@{word}.test");
    let fields = [("email", email.as_str()), ("role", "member"), ("password", PASSWORD)];
    let link = owner.post("/team/invitations", &fields).await.expect(200).page().text("#invitation-link");
    link.rsplit('/').next().expect("a secret").to_owned()
}

async fn team_key(owner: &Visitor) -> String {
    let page = owner.post("/developer/team-key", &[]).await.expect(200).body;
    let start = page.find("gp_").expect("a key");
    page[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// The number of rows of a team in each table that names teams.
pub fn counts(app: &TestApp, team: TeamId) -> BTreeMap<String, i64> {
    let tables = match app.database.url().starts_with("sqlite") {
        true => {
            "SELECT m.name AS t FROM sqlite_schema m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND c.name = 'team_id'"
        }
        false => {
            "SELECT CAST(table_name AS TEXT) AS t FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name = 'team_id'"
        }
    };
    let digits = team.to_string().replace("team_", "");
    let of_team = |table: &str| format!("{table} WHERE {} = '{digits}'", app.database.hex("team_id"));
    let counted = app.database.texts(tables).into_iter().map(|table| {
        let rows = app.count(&of_team(&table));
        (table, rows)
    });
    counted.collect()
}
