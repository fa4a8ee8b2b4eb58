//! `demo`: a made-up team to look around in, served out of a store that goes away again.

mod letters;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use time::Duration;

use super::serve::{bind, run, start_log, tell_operator};
use super::{Failure, open, sentence};
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

/// What the program may that makes an address for each order.
const ORDERS: Scopes =
    Scopes::of(&[Scope::AliasesWrite, Scope::ContactsRead, Scope::TeamRead, Scope::TokensRead]);

pub fn demo(mut config: Config) -> std::result::Result<(), Failure> {
    start_log(&config)?;
    let ports = bind(&config)?;
    let folder = ThrowAway::new();
    config.database = Database(format!("sqlite:{}", folder.0.join("gatepost.db").display()));
    config.data = folder.0.clone();
    let app = open(config)?;
    let token = fill(&app).map_err(sentence)?;
    let own = app.clone();
    run(app, ports, move |url| {
        send_letters(own);
        println!(
            "Sign in at {url}/sign-in as ada@acme.test (owner), bea@acme.test (admin) or cy@acme.test (member)"
        );
        tell_operator(&format!("with the password: {PASSWORD}"));
        tell_operator(&format!(
            "Call it: curl -H \"Authorization: Bearer {}\" {url}/api/v1/me",
            token.reveal()
        ));
        tell_operator("All of this is gone when you stop it.");
    })
}

/// Beside everything else: whoever asks about a sender where no name server answers waits.
fn send_letters(app: App) {
    let Some(at) = app.smtp_at() else {
        return tell_operator("No mail is taken, so the inbox is empty: GATEPOST_SMTP_LISTEN is off.");
    };
    let domain = app.mail_settings().domain.clone();
    // Nobody waits for it: it ends with the process.
    std::thread::spawn(move || {
        let came = letters::send(at, &domain);
        tell_operator(&format!("{came} messages came in by SMTP; they are in the inbox."));
    });
}

/// A folder that is removed in the end.
struct ThrowAway(PathBuf);

impl ThrowAway {
    fn new() -> Self {
        let name: [u8; 8] = entropy::bytes(&crate::domain::entropy::SystemEntropy);
        Self(std::env::temp_dir().join(format!("gatepost-demo-{}", hex(&name))))
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A month in the life of Acme; returns a token that works.
fn fill(app: &App) -> Result<PlainToken> {
    let (now, chance) = (app.now(), app.entropy());
    let hash = passwords::hash(&Password::parse("password", PASSWORD)?, &*chance);
    let (team, ada) = app.write_now(|tx| {
        let actor = at(now, 30, &chance);
        let owner = person("Ada Lovelace", "ada@acme.test", &hash)?;
        teams::found(tx, &actor, &NewTeam { name: TeamName::parse("Acme")?, plan: Plan::Pro, owner })
    })?;
    let bea = join(app, &team, &ada, ("Bea Bouchard", "bea@acme.test", MemberRole::Admin), &hash, 28)?;
    join(app, &team, &ada, ("Cy Young", "cy@acme.test", MemberRole::Member), &hash, 27)?;
    app.write_now(|tx| {
        api_switch::turn(tx, &at(now, 26, &chance).as_person(ada.id, &ada.email), team.id, true)
    })?;
    for (local, note) in letters::ALIASES {
        let local = Some(LocalPart::parse(local)?);
        let new = NewAlias { local, domain: None, note: Some(note.to_owned()) };
        let (actor, shared) =
            (at(now, 26, &chance).as_person(ada.id, &ada.email), &app.mail_settings().domain);
        app.write_now(|tx| aliases::create(tx, &actor, team.id, shared, &new))?;
    }
    let (crm, plain) = mint(app, &team, &ada, "CRM integration", Scopes::READ, 25)?;
    let (orders, _) = mint(app, &team, &bea, "Order notifications", ORDERS, 20)?;
    mint(app, &team, &bea, "Nightly export", Scopes::READ, 9)?;
    let (old, _) = mint(app, &team, &ada, "Old website", Scopes::ALL, 24)?;
    for (token, calls) in [(&crm, 60), (&orders, 25), (&old, 8)] {
        call(app, &team, token, calls)?;
    }
    let actor = at(now, 0, &chance).as_person(bea.id, &bea.email);
    app.write_now(|tx| tokens::revoke(tx, &actor, team.id, old.id, Some("the website moved")))?;
    Ok(plain)
}

/// The operator, so many days ago.
fn at(now: Timestamp, days: i64, chance: &Arc<dyn Entropy>) -> Actor {
    Actor::operator(now.minus(Duration::days(days)), chance.clone())
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
    maker: &User,
    name: &str,
    scopes: Scopes,
    days: i64,
) -> Result<(Token, PlainToken)> {
    let actor = at(app.now(), days, &app.entropy()).as_person(maker.id, &maker.email);
    let label = Label::parse(name)?;
    app.write_now(|tx| tokens::mint(tx, &actor, team.id, &label, scopes, &app.sealer().prefix))
}

/// Calls of the last three days, a few of them refused.
fn call(app: &App, team: &Team, token: &Token, calls: i64) -> Result<()> {
    let chance = app.entropy();
    let first = app.now().minus(Duration::days(3));
    let step = Duration::hours(70) / i32::try_from(calls).unwrap_or(1);
    let times: Vec<Timestamp> =
        (0..calls).map(|i| first.plus(step * i32::try_from(i).unwrap_or(0))).collect();
    let calls: Vec<CallRecord> =
        times.iter().zip(0..).map(|(&at, i)| record(team, token, at, i, &*chance)).collect();
    let last = times.last().copied().unwrap_or(first);
    let usage =
        Use { token: token.id, at: last, ip: Some("192.0.2.10".into()), agent: Some("acme-sync/2.1".into()) };
    app.write_now(|tx| activity::append_calls(tx, calls.into_iter(), &[usage]))
}

fn record(team: &Team, token: &Token, at: Timestamp, i: i32, chance: &dyn Entropy) -> CallRecord<'static> {
    let request = RequestId::new(at, entropy::bytes(chance));
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
