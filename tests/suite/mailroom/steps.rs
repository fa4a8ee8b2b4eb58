use gatepost::app::inbound::{Delivered, Envelope};
use gatepost::domain::mailroom::address::LocalPart;
use gatepost::domain::mailroom::aliases::{self, Alias, NewAlias};
use gatepost::domain::mailroom::authentication::Authentication;
use gatepost::domain::mailroom::receive::Outcome;
use gatepost::domain::mailroom::route::{Recipient, Unroutable};
use gatepost::store::ids::MessageId;

use crate::support::TestApp;

impl TestApp {
    /// Creates an alias of this team on the shared domain.
    pub fn alias(&self, team: &str, local: &str) -> Alias {
        self.alias_on(team, local, None)
    }

    pub fn alias_on(&self, team: &str, local: &str, domain: Option<&str>) -> Alias {
        let team = self.team(team).id;
        let local = Some(LocalPart::parse(local).expect("a local part"));
        let new = NewAlias { local, domain: domain.map(str::to_owned), note: None };
        self.operate(|tx, actor| aliases::create(tx, actor, team, "gatepost.localhost", &new))
    }

    pub async fn route(&self, address: &str) -> Result<Recipient, Unroutable> {
        self.app.route_recipient(address).await.expect("a store that responds")
    }

    /// Delivers from `from`, if SMTP would accept it.
    pub async fn send(&self, from: &str, to: &str, raw: &str) -> Delivered {
        self.send_as(from, to, raw, Authentication::default()).await
    }

    pub async fn send_as(&self, from: &str, to: &str, raw: &str, who: Authentication) -> Delivered {
        let recipient = self.route(to).await.expect("a recipient");
        let from = (!from.is_empty()).then(|| from.to_owned());
        let envelope = Envelope { from, helo: "mx.test".into(), ..Envelope::default() };
        let raw = raw.replace('\n', "\r\n").into_bytes();
        self.app.deliver(envelope, raw, who, vec![recipient]).await.remove(0)
    }

    /// Stores a message and returns its id.
    pub async fn keep(&self, from: &str, to: &str, raw: &str) -> MessageId {
        stored(self.send(from, to, raw).await)
    }

    pub fn count(&self, table: &str) -> i64 {
        self.database.number(&format!("SELECT COUNT(*) AS n FROM {table}"))
    }
}

pub fn stored(delivered: Delivered) -> MessageId {
    match delivered {
        Ok(Outcome::Stored { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

pub fn letter(from: &str, id: &str, subject: &str, body: &str) -> String {
    format!("From: {from}\nTo: hello@gatepost.localhost\nSubject: {subject}\nMessage-ID: <{id}>\n\n{body}\n")
}
