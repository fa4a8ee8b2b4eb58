//! Instructions to send the first message, for an empty inbox.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use time::format_description::well_known::Rfc2822;

use crate::app::App;
use crate::app::inbound::Envelope;
use crate::app::intake::Submission;
use crate::app::limits::memory::MessageMemory;
use crate::domain::lists::Window;
use crate::domain::mailroom::address::LocalPart;
use crate::domain::mailroom::aliases::{self, Alias, NewAlias};
use crate::domain::mailroom::receive::Outcome;
use crate::domain::{Error, Room};
use crate::web::pages::{Answer, Member, Notice, PageError, see_other_with};
use crate::web::paths;

/// The local part of the suggested address.
const LOCAL: &str = "hello";
/// The number of aliases searched for one that is on.
const MAX_SEARCHED: i64 = 100;
/// A sender whose domain has no DMARC policy.
const SENDER: &str = "bob@customer.test";

/// The commands to run, if there is an address.
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
    /// Addresses the message to the first of `aliases` that is on.
    pub fn of(app: &App, aliases: &[Alias]) -> Self {
        let address = aliases.iter().find(|alias| alias.enabled).map(Alias::address);
        let lines = match (&address, app.smtp_address()) {
            (Some(to), Some(listener)) => by_smtp(to, reachable(listener)),
            (Some(to), None) => vec![by_command(to)],
            (None, _) => Vec::new(),
        };
        Self { address, lines }
    }
}

/// The address of the listener for clients on this machine.
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

/// Delivers a message from the person to themselves, through the normal delivery path.
pub async fn send_test(member: Member) -> Answer {
    let read = member
        .read(|tx, team| aliases::list(tx, team, &aliases::Filter::default(), Window::first(MAX_SEARCHED)));
    let aliases = read.await?.rows;
    let to = aliases.iter().find(|alias| alias.enabled).ok_or_else(PageError::not_found)?.address();
    let routed = member.app().route_recipient(&to).await?;
    let recipient = routed.map_err(|_| PageError::not_found())?;
    let submission = Submission {
        envelope: Envelope {
            from: Some(member.user.email.clone()),
            helo: "localhost".into(),
            ..Envelope::default()
        },
        with: "local",
        peer: None,
        raw: test_message(&member, &to).into_bytes(),
        to: vec![recipient],
        memory: MessageMemory::default(),
    };
    let notice = match member.app().accept_message(submission).await.pop() {
        Some(Ok(Outcome::Stored { .. } | Outcome::Duplicate { .. })) => Notice::TestSent,
        _ => Notice::TestNotSent,
    };
    Ok(see_other_with(paths::INBOX, notice))
}

fn test_message(member: &Member, to: &str) -> String {
    let (user, request) = (&member.user, &member.request);
    let name: String = user.name.chars().filter(|c| !c.is_control() && !"\"\\".contains(*c)).collect();
    let date = request.now.utc().format(&Rfc2822).unwrap_or_default();
    let id = request.id.write_into(&mut Room::default()).to_owned();
    let domain = to.rsplit('@').next().unwrap_or_default();
    format!(
        "From: \"{name}\" <{from}>\r\nTo: {to}\r\nSubject: Test message\r\nDate: {date}\r\n\
         Message-ID: <{id}@{domain}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Hello {name},\r\n\r\nYour inbox works: this message was delivered to {to}.\r\n",
        from = user.email,
    )
}

/// Creates an address to try: `hello`, or a random one if that is taken.
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
