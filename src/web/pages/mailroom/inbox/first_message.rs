//! Instructions for the first message of an empty inbox.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::app::App;
use crate::domain::Error;
use crate::domain::mailroom::address::LocalPart;
use crate::domain::mailroom::aliases::{self, Alias, NewAlias};
use crate::web::pages::{Answer, Member, Notice, see_other_with};
use crate::web::paths;

/// The address that is created when there is none, unless another team has it.
const LOCAL: &str = "hello";
/// A sender whose domain has no DMARC policy.
const SENDER: &str = "bob@customer.test";

/// The command to run, once there is an address.
pub struct FirstMessage {
    pub address: Option<String>,
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
            (Some(to), Some(listener)) => by_smtp(to, reachable(listener)),
            (Some(to), None) => vec![by_command(to)],
            (None, _) => Vec::new(),
        };
        Self { address, lines }
    }
}

/// The address of the listener for programs on this machine.
fn reachable(listener: SocketAddr) -> SocketAddr {
    match listener.ip().is_unspecified() {
        true => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listener.port()),
        false => listener,
    }
}

fn by_smtp(to: &str, at: SocketAddr) -> Vec<Line> {
    let curl =
        format!("{} | curl smtp://{at} --crlf --mail-from {SENDER} --mail-rcpt {to} -T -", printed(to));
    let swaks = format!(
        "swaks --server {at} --from {SENDER} --to {to} --header 'Subject: First message' --body 'Hello.'"
    );
    vec![
        Line { id: "by-curl", title: "With curl", text: curl },
        Line { id: "by-swaks", title: "With swaks", text: swaks },
    ]
}

fn by_command(to: &str) -> Line {
    let text = format!("{} | gatepost deliver {to}", printed(to));
    Line { id: "by-hand", title: "On the server", text }
}

fn printed(to: &str) -> String {
    format!("printf 'From: Bob <{SENDER}>\\nTo: {to}\\nSubject: First message\\n\\nHello.\\n'")
}

/// Creates an address to try: `hello`, or a random one where that is taken.
pub async fn create_alias(member: Member) -> Answer {
    match create(&member, LocalPart::parse(LOCAL).ok()).await {
        Err(Error::Conflict(_)) => create(&member, None).await?,
        created => created?,
    };
    Ok(see_other_with(paths::INBOX, Notice::AliasReady))
}

async fn create(member: &Member, local: Option<LocalPart>) -> Result<Alias, Error> {
    let shared = member.app().mail_settings().domain.clone();
    let new = NewAlias { local, domain: None, note: None };
    member.write(move |tx, actor, team| aliases::create(tx, actor, team, &shared, &new)).await
}
