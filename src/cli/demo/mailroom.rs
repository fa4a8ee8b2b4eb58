//! Domains, aliases, contacts and mail of the sample team.

use std::collections::HashMap;
use std::sync::Arc;

use time::Duration;

use super::calendar::{Calendar, DOMAIN, When};
use super::people::People;
use super::script::{self, BLOCKED, Numbered};
use super::tokens::{self, Tokens};
use crate::app::Tx;
use crate::domain::actor::Actor;
use crate::domain::lists::Window;
use crate::domain::mailroom::address::{DomainName, LocalPart};
use crate::domain::mailroom::aliases::{self, NewAlias};
use crate::domain::mailroom::arrival::Arrival;
use crate::domain::mailroom::batch::Batch;
use crate::domain::mailroom::contacts::{self, About, ContactId, ContactState};
use crate::domain::mailroom::mail_domains::{self, Answer, Domain, Observation};
use crate::domain::mailroom::messages::{self, MessageId, MessageState};
use crate::domain::mailroom::parse::parse;
use crate::domain::mailroom::receive::{Outcome, receive};
use crate::domain::mailroom::received_header::ReceivedHeader;
use crate::domain::mailroom::route::{self, MailSettings};
use crate::domain::people::users::User;
use crate::domain::{Error, Result};

const SECOND_DOMAIN: &str = "acme-anvils.test";

pub struct MailServer<'a> {
    pub settings: &'a MailSettings,
    pub host: &'a str,
}

pub fn fill(
    tx: &mut Tx<'_>,
    calendar: &Calendar,
    people: &People,
    tokens: &Tokens,
    server: &MailServer<'_>,
) -> Result<()> {
    let first = add_domain(tx, &calendar.person(&people.ada, (21, 9, 20)), people, server, DOMAIN)?;
    check(tx, calendar, &first, server, ((21, 9, 58), server.host))?;
    create_aliases(tx, calendar, people, server)?;
    let catch_all = create_alias(tx, &calendar.person(&people.ada, (21, 10, 6)), people, server, HELLO)?;
    let ada = calendar.person(&people.ada, (19, 10, 12));
    mail_domains::set_catch_all(tx, &ada, people.team.id, first.id, Some(catch_all.id))?;
    let second = add_domain(tx, &calendar.person(&people.bea, (8, 14, 5)), people, server, SECOND_DOMAIN)?;
    check(tx, calendar, &second, server, ((8, 14, 31), server.host))?;
    create_order_aliases(tx, calendar, people, tokens, server)?;
    let contacts = receive_all(tx, calendar, people, server)?;
    review_contacts(tx, calendar, people, &contacts)?;
    switch_aliases(tx, calendar, people)?;
    check(tx, calendar, &first, server, ((0, 3, 12), server.host))?;
    check(tx, calendar, &second, server, ((0, 3, 12), "mx.parking.example"))
}

fn add_domain(
    tx: &mut Tx<'_>,
    actor: &Actor,
    people: &People,
    server: &MailServer<'_>,
    name: &str,
) -> Result<Domain> {
    mail_domains::add(tx, actor, people.team.id, &server.settings.domain, &DomainName::parse(name)?)
}

/// Records a check that found the proof and this MX record.
fn check(
    tx: &mut Tx<'_>,
    calendar: &Calendar,
    domain: &Domain,
    server: &MailServer<'_>,
    (when, mx): (When, &str),
) -> Result<()> {
    let proof = Answer::Found(vec![domain.proof_value()]);
    let seen = Observation { proof, mx: Answer::Found(vec![mx.to_owned()]) };
    let system = calendar.system(when);
    mail_domains::record_check(tx, &system, domain.team_id, domain.id, server.host, &seen)?;
    Ok(())
}

struct NewAddress {
    local: &'static str,
    domain: Option<&'static str>,
    note: &'static str,
}

const fn at_home(local: &'static str, note: &'static str) -> NewAddress {
    NewAddress { local, domain: Some(DOMAIN), note }
}

const HELLO: NewAddress = at_home("hello", "on the website");

/// Days since the creation, the creator, and the address.
const ALIASES: [(u16, Creator, NewAddress); 9] = [
    (21, Creator::Ada, at_home("orders", "answers to order confirmations")),
    (21, Creator::Ada, at_home("billing", "printed on invoices")),
    (20, Creator::Ada, at_home("old-shop", "the shop before the new one")),
    (19, Creator::Bea, at_home("support", "on the back of the manuals")),
    (18, Creator::Bea, at_home("press", "given to journalists")),
    (18, Creator::Cy, at_home("tradefair", "on our badges at the fair. Rank Rocket has it from there")),
    (17, Creator::Cy, at_home("newsletters", "for everything we subscribe to")),
    (14, Creator::Cy, at_home("ci", "build notifications")),
    (12, Creator::Cy, NewAddress { local: "acme-test", domain: None, note: "to try things out" }),
];

#[derive(Clone, Copy)]
enum Creator {
    Ada,
    Bea,
    Cy,
}

fn create_aliases(
    tx: &mut Tx<'_>,
    calendar: &Calendar,
    people: &People,
    server: &MailServer<'_>,
) -> Result<()> {
    for (place, (days, creator, new)) in (0..).zip(ALIASES) {
        let creator = match creator {
            Creator::Ada => &people.ada,
            Creator::Bea => &people.bea,
            Creator::Cy => &people.cy,
        };
        create_alias(tx, &calendar.person(creator, (days, 10, 8 + 3 * place)), people, server, new)?;
    }
    Ok(())
}

fn create_alias(
    tx: &mut Tx<'_>,
    actor: &Actor,
    people: &People,
    server: &MailServer<'_>,
    new: NewAddress,
) -> Result<aliases::Alias> {
    let new = NewAlias {
        local: Some(LocalPart::parse(new.local)?),
        domain: new.domain.map(str::to_owned),
        note: (!new.note.is_empty()).then(|| new.note.to_owned()),
    };
    aliases::create(tx, actor, people.team.id, &server.settings.domain, &new)
}

/// Creates aliases as the app with the token does.
fn create_order_aliases(
    tx: &mut Tx<'_>,
    calendar: &Calendar,
    people: &People,
    tokens: &Tokens,
    server: &MailServer<'_>,
) -> Result<()> {
    for (local, when) in
        [("order-4702", (9, 15, 31)), ("order-4711", (5, 11, 4)), ("order-4715", (1, 10, 47))]
    {
        let actor = tokens::app(&tokens.orders, &calendar.operator(when));
        create_alias(tx, &actor, people, server, at_home(local, "one order's mail"))?;
    }
    Ok(())
}

fn switch_aliases(tx: &mut Tx<'_>, calendar: &Calendar, people: &People) -> Result<()> {
    let team = people.team.id;
    let find = |tx: &mut Tx<'_>, local: &str| {
        let all = aliases::list(tx, team, &aliases::Filter::default(), Window::first(50))?;
        all.rows.into_iter().find(|alias| alias.local == local).ok_or(Error::NotFound)
    };
    let leaked = find(tx, "tradefair")?;
    let bea = calendar.person(&people.bea, (11, 9, 3));
    aliases::change(tx, &bea, team, leaked.id, leaked.note.as_deref(), false)?;
    let unused = find(tx, "old-shop")?;
    aliases::delete(tx, &calendar.person(&people.ada, (8, 9, 30)), team, unused.id)
}

/// Contact ids by address.
type Contacts = HashMap<&'static str, ContactId>;

fn receive_all(
    tx: &mut Tx<'_>,
    calendar: &Calendar,
    people: &People,
    server: &MailServer<'_>,
) -> Result<Contacts> {
    let mut letters: Vec<Numbered> = script::past().collect();
    letters.sort_by_key(|each| calendar.at(each.letter.when));
    let mut contacts = Contacts::new();
    let readers = [&people.cy, &people.bea, &people.ada, &people.cy, &people.bea];
    for (each, reader) in letters.iter().zip(readers.into_iter().cycle()) {
        let (id, state) = receive_one(tx, &calendar.system(each.letter.when), each, server)?;
        if state != MessageState::Delivered {
            continue;
        }
        let sender = each.letter.from;
        let message = messages::find(tx, people.team.id, id)?;
        contacts.extend(message.contact_id.map(|contact| (sender.address, contact)));
        let later = |minutes| {
            let moment = calendar.at(each.letter.when).plus(Duration::minutes(minutes));
            calendar.person(reader, (0, 0, 0)).at(moment)
        };
        if each.letter.read {
            messages::mark(tx, &later(38), people.team.id, id, true)?;
        }
        if let (true, Some(contact)) = (BLOCKED.contains(&sender.address), message.contact_id) {
            let about = about(sender.name, "unsolicited", ContactState::Blocked);
            contacts::change(tx, &later(345), people.team.id, contact, about?)?;
        }
    }
    Ok(contacts)
}

fn receive_one(
    tx: &mut Tx<'_>,
    actor: &Actor,
    each: &Numbered,
    server: &MailServer<'_>,
) -> Result<(MessageId, MessageState)> {
    let message = each.message(actor.now).map_err(|cause| Error::fault(&cause.to_string()))?;
    let (from, rcpt) = (each.letter.from, each.letter.recipient());
    let helo = format!("mail.{}", from.domain());
    let ip = each.ip();
    let header = ReceivedHeader {
        host: server.host,
        with: "ESMTPS",
        from: Some(from.address),
        helo: &helo,
        peer: Some(ip),
        rcpt: Some(&rcpt),
    };
    let raw = [header.render(actor), message.formatted()].concat();
    let arrival = Arrival {
        envelope_from: Some(from.address.to_owned()),
        helo: helo.clone(),
        ip: Some(ip),
        tls: true,
        parsed: parse(&raw),
        raw: Arc::new(raw),
        authentication: each.letter.proof.of(from.domain()),
    };
    let recipient = route::route(tx, server.settings, &rcpt)?;
    let recipient = recipient.map_err(|why| Error::fault(&format!("no mail for {rcpt}: {why:?}")))?;
    let mut batch = Batch::new(server.settings);
    let outcome = receive(tx, actor, &arrival, &recipient, &mut batch)?;
    batch.write(tx, actor.now)?;
    match outcome {
        Outcome::Stored { message, state } => Ok((message, state)),
        Outcome::Rejected { message, .. } => Ok((message, MessageState::Rejected)),
        other => Err(Error::fault(&format!("{}: {other:?}", each.letter.subject))),
    }
}

fn about(name: &str, note: &str, state: ContactState) -> Result<About> {
    Ok(About::parse(name, note, state)?)
}

/// The contacts that the team has edited.
const KNOWN: [(When, &str, &str, &str); 6] = [
    ((17, 9, 10), "workshop@okafor.example", "Okafor & Sons", "Pays at once. Ask for Chidi"),
    ((14, 17, 30), "ines@castellano-law.example", "Inés Castellano", "our lawyer"),
    ((12, 9, 0), "payouts@ledgerly.example", "Ledgerly", "payments of the web shop"),
    ((8, 9, 12), "no-reply@paperandink.example", "Paper & Ink", "office supplies, 30 days"),
    ((3, 17, 1), "grace@navy.example", "Grace Murray", "Harbour Supplies, customer since the first year"),
    ((2, 7, 30), "dispatch@northwind-freight.example", "Northwind Freight", ""),
];

fn review_contacts(tx: &mut Tx<'_>, calendar: &Calendar, people: &People, contacts: &Contacts) -> Result<()> {
    let team = people.team.id;
    let by = |who: &User, when| calendar.person(who, when);
    for (when, address, name, note) in KNOWN {
        let id = *contacts.get(address).ok_or(Error::NotFound)?;
        let about = about(name, note, ContactState::Allowed)?;
        contacts::change(tx, &by(&people.bea, when), team, id, about)?;
    }
    let address = contacts::parse_address("yusuf@amin.example")?;
    let about =
        about("Yusuf Amin", "met at the fair, will write about steel for bells", ContactState::Allowed)?;
    contacts::create(tx, &by(&people.cy, (10, 16, 45)), team, &address, about)?;
    Ok(())
}
