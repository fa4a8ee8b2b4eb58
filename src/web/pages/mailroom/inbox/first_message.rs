//! An empty inbox: how its first message gets here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::{HttpResponse, web};

use crate::app::App;
use crate::domain::Error;
use crate::domain::mailroom::address::LocalPart;
use crate::domain::mailroom::aliases::{self, Alias, NewAlias};
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::notice::Notice;
use crate::web::pages::see_other_with;
use crate::web::paths;

/// The address that is made when there is none, unless somebody else has it.
const LOCAL: &str = "hello";
/// A sender whose domain asks nobody to refuse mail in its name.
const SENDER: &str = "bob@customer.test";

/// What to run, once there is an address to send to.
pub struct FirstMessage {
    pub address: Option<String>,
    /// Empty where no mail comes in by SMTP.
    pub lines: Vec<Line>,
}

/// A line to run in a shell.
pub struct Line {
    pub id: &'static str,
    pub title: &'static str,
    pub text: String,
}

impl FirstMessage {
    /// To the newest of `aliases` that takes mail.
    pub fn of(app: &App, aliases: &[Alias]) -> Self {
        let address = aliases.iter().find(|alias| alias.enabled).map(Alias::address);
        let lines = match (&address, app.smtp_at()) {
            (Some(to), Some(door)) => lines(to, reachable(door)),
            (Some(to), None) => vec![by_hand(to)],
            (None, _) => Vec::new(),
        };
        Self { address, lines }
    }
}

/// Where a program on this machine finds the door.
fn reachable(door: SocketAddr) -> SocketAddr {
    match door.ip().is_unspecified() {
        true => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), door.port()),
        false => door,
    }
}

fn lines(to: &str, door: SocketAddr) -> Vec<Line> {
    let swaks = format!(
        "swaks --server {door} --from {SENDER} --to {to} --header 'Subject: First message' --body 'Hello.'"
    );
    let curl =
        format!("{} | curl smtp://{door} --crlf --mail-from {SENDER} --mail-rcpt {to} -T -", printed(to));
    vec![
        Line { id: "by-swaks", title: "With swaks", text: swaks },
        Line { id: "by-curl", title: "With curl", text: curl },
    ]
}

fn by_hand(to: &str) -> Line {
    let text = format!("{} | gatepost deliver {to}", printed(to));
    Line { id: "by-hand", title: "By hand, on the machine of this Gatepost", text }
}

fn printed(to: &str) -> String {
    format!("printf 'From: Bob <{SENDER}>\\nTo: {to}\\nSubject: First message\\n\\nHello.\\n'")
}

/// Makes an address to try: `hello`, or one that nobody has where that is taken.
pub async fn make_alias(app: web::Data<App>, member: Member) -> Result<HttpResponse, PageError> {
    let usual = LocalPart::parse(LOCAL).ok();
    match make(&app, &member, usual).await {
        Err(Error::Conflict(_)) => make(&app, &member, None).await?,
        made => made?,
    };
    Ok(see_other_with(paths::INBOX, Notice::AliasReady))
}

async fn make(app: &App, member: &Member, local: Option<LocalPart>) -> Result<Alias, Error> {
    let (actor, team, shared) = (member.actor(), member.team.id, app.mail_settings().domain.clone());
    let new = NewAlias { local, domain: None, note: None };
    app.write(move |tx| aliases::create(tx, &actor, team, &shared, &new)).await
}
