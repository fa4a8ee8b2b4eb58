mod messages;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use time::Duration;

use super::serve::{announce, bind, open, run, start_log};
use super::{Failure, message_of};
use crate::app::App;
use crate::config::{Config, Database};
use crate::domain::access::activity::{self, ActivityId, ActivityKind, CallRecord, Use};
use crate::domain::access::api_switch;
use crate::domain::access::plans::Plan;
use crate::domain::access::scopes::{Scope, Scopes};
use crate::domain::access::secret::PlainToken;
use crate::domain::access::tokens::{self, Label, Token};
use crate::domain::actor::Actor;
use crate::domain::entropy::{self, Entropy};
use crate::domain::mailroom::address::LocalPart;
use crate::domain::mailroom::aliases::{self, NewAlias};
use crate::domain::people::invitations;
use crate::domain::people::passwords::{self, Hashed, Password};
use crate::domain::people::roles::MemberRole;
use crate::domain::people::teams::{self, NewTeam, Team, TeamName};
use crate::domain::people::users::{NewPerson, PersonName, User};
use crate::domain::sealing::hex;
use crate::domain::text::EmailAddress;
use crate::domain::{RequestId, Result, Timestamp};

const PASSWORD: &str = "correct horse battery";

/// The scopes of the app that creates an alias for each order.
const ORDERS: Scopes =
    Scopes::of(&[Scope::AliasesWrite, Scope::ContactsRead, Scope::TeamRead, Scope::TokensRead]);

pub fn demo(mut config: Config) -> std::result::Result<(), Failure> {
    start_log(&config)?;
    let ports = bind(&config)?;
    let folder = TemporaryFolder::new();
    config.database = Database(format!("sqlite:{}", folder.0.join("gatepost.db").display()));
    config.data = folder.0.clone();
    let app = open(config)?;
    let token = create_sample_team(&app).map_err(message_of)?;
    let own = app.clone();
    run(app, ports, move |url| {
        send_messages(own);
        println!(
            "Sign in at {url}/sign-in as ada@acme.test (owner), bea@acme.test (admin) or cy@acme.test (member)"
        );
        announce(&format!("with the password: {PASSWORD}"));
        announce(&format!(
            "Try the API: curl -H \"Authorization: Bearer {}\" {url}/api/v1/me",
            token.reveal()
        ));
        announce("Everything is deleted when you stop the server.");
    })
}

/// In a thread, because verifying senders blocks while no DNS server responds.
fn send_messages(app: App) {
    let Some(at) = app.smtp_at() else {
        return announce("The inbox is empty because GATEPOST_SMTP_LISTEN is off.");
    };
    let domain = app.mail_settings().domain.clone();
    // Not joined: it ends with the process.
    std::thread::spawn(move || {
        let received = messages::send(at, &domain);
        announce(&format!("{received} messages arrived by SMTP. They are in the inbox."));
    });
}

/// Removed on drop.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new() -> Self {
        let name: [u8; 8] = entropy::bytes(&crate::domain::entropy::SystemEntropy);
        Self(std::env::temp_dir().join(format!("gatepost-demo-{}", hex(&name))))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns an active token.
fn create_sample_team(app: &App) -> Result<PlainToken> {
    let (now, random) = (app.now(), app.entropy());
    let hash = passwords::hash(&Password::parse("password", PASSWORD)?, &*random);
    let (team, ada) = app.write_now(|tx| {
        let actor = at(now, 30, &random);
        let owner = person("Ada Lovelace", "ada@acme.test", &hash)?;
        teams::create(tx, &actor, &NewTeam { name: TeamName::parse("Acme")?, plan: Plan::Pro, owner })
    })?;
    let bea = join(app, &team, &ada, ("Bea Bouchard", "bea@acme.test", MemberRole::Admin), &hash, 28)?;
    join(app, &team, &ada, ("Cy Young", "cy@acme.test", MemberRole::Member), &hash, 27)?;
    app.write_now(|tx| {
        api_switch::turn(tx, &at(now, 26, &random).as_person(ada.id, &ada.email), team.id, true)
    })?;
    for (local, note) in messages::ALIASES {
        let local = Some(LocalPart::parse(local)?);
        let new = NewAlias { local, domain: None, note: Some(note.to_owned()) };
        let (actor, shared) =
            (at(now, 26, &random).as_person(ada.id, &ada.email), &app.mail_settings().domain);
        app.write_now(|tx| aliases::create(tx, &actor, team.id, shared, &new))?;
    }
    let (crm, plain) = mint(app, &team, &ada, "CRM integration", Scopes::READ, 25)?;
    let (orders, _) = mint(app, &team, &bea, "Order notifications", ORDERS, 20)?;
    mint(app, &team, &bea, "Nightly export", Scopes::READ, 9)?;
    let (old, _) = mint(app, &team, &ada, "Old website", Scopes::ALL, 24)?;
    for (token, calls) in [(&crm, 60), (&orders, 25), (&old, 8)] {
        record_requests(app, &team, token, calls)?;
    }
    let actor = at(now, 0, &random).as_person(bea.id, &bea.email);
    app.write_now(|tx| tokens::revoke(tx, &actor, team.id, old.id, Some("the website moved")))?;
    Ok(plain)
}

fn at(now: Timestamp, days: i64, random: &Arc<dyn Entropy>) -> Actor {
    Actor::operator(now.minus(Duration::days(days)), random.clone())
}

fn person(name: &str, email: &str, hash: &Hashed) -> Result<NewPerson> {
    Ok(NewPerson {
        email: EmailAddress::parse(email)?,
        name: PersonName::parse(name)?,
        password_hash: hash.clone(),
    })
}

fn join(
    app: &App,
    team: &Team,
    owner: &User,
    who: (&str, &str, MemberRole),
    hash: &Hashed,
    days: i64,
) -> Result<User> {
    let (name, email, role) = who;
    let actor = at(app.now(), days, &app.entropy());
    let new = person(name, email, hash)?;
    app.write_now(|tx| {
        let host = actor.as_person(owner.id, &owner.email);
        let link = invitations::invite(tx, &host, team.id, &new.email, role)?;
        Ok(invitations::accept_as_new(tx, &actor, &link, &new)?.1)
    })
}

fn mint(
    app: &App,
    team: &Team,
    creator: &User,
    name: &str,
    scopes: Scopes,
    days: i64,
) -> Result<(Token, PlainToken)> {
    let actor = at(app.now(), days, &app.entropy()).as_person(creator.id, &creator.email);
    let label = Label::parse(name)?;
    app.write_now(|tx| tokens::mint(tx, &actor, team.id, &label, scopes, &app.sealer().prefix))
}

/// Records requests of the last three days, a few of them 404.
fn record_requests(app: &App, team: &Team, token: &Token, calls: i64) -> Result<()> {
    let random = app.entropy();
    let first = app.now().minus(Duration::days(3));
    let step = Duration::hours(70) / i32::try_from(calls).unwrap_or(1);
    let times: Vec<Timestamp> =
        (0..calls).map(|i| first.plus(step * i32::try_from(i).unwrap_or(0))).collect();
    let calls: Vec<CallRecord> =
        times.iter().zip(0..).map(|(&at, i)| record(team, token, at, i, &*random)).collect();
    let last = times.last().copied().unwrap_or(first);
    let usage =
        Use { token: token.id, at: last, ip: Some("192.0.2.10".into()), agent: Some("acme-sync/2.1".into()) };
    app.write_now(|tx| activity::append_calls(tx, calls.into_iter(), &[usage]))
}

fn record(team: &Team, token: &Token, at: Timestamp, i: i32, random: &dyn Entropy) -> CallRecord<'static> {
    let request = RequestId::new(at, entropy::bytes(random));
    let (route, status) = match i % 9 {
        0 => ("/api/v1/team", 200),
        4 => ("/api/v1/api-keys", 200),
        7 => ("unknown", 404),
        _ => ("/api/v1/me", 200),
    };
    CallRecord {
        team: team.id,
        id: ActivityId::from_bytes(request.bytes()),
        at,
        kind: ActivityKind::ApiRequest,
        token: Some(token.id),
        person: None,
        method: "GET",
        route,
        status,
        duration_us: 900 + 37 * (i % 11),
        ip: Some([192, 0, 2, 10].into()),
    }
}
