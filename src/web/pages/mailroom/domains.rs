//! The list of domains, and adding a domain.

use actix_web::http::StatusCode;
use askama::Template;

use crate::domain::lists::Page;
use crate::domain::mailroom::address::DomainName;
use crate::domain::mailroom::mail_domains::{self, Domain, DomainId, Filter, Record, RecordState};
use crate::web::htmx::Htmx;
use crate::web::pages::form::{Form, redirect_or_ask};
use crate::web::pages::list::{List, ListQuery, filters};
use crate::web::pages::{Admin, Answer, Badge, Confirmation, Layout, Member, Notice};
use crate::web::paths;
use crate::web::route::{PageRoute, page};
use crate::web::viewer::Viewer;

pub fn routes() -> Vec<PageRoute> {
    vec![page(paths::DOMAINS).get(list).post(add), page(paths::DOMAIN_NEW).get(ask_new)]
}

filters!(Filters at paths::DOMAINS => sort);

impl Domain {
    pub fn badge(&self) -> Badge {
        match self {
            Self { suspended_at: Some(_), .. } => ("danger", "Suspended"),
            _ if self.suspension_due().is_some() => ("warning", "TXT record missing"),
            _ if self.is_cut_off() => ("danger", "Not receiving"),
            _ if self.is_active() => ("success", "Verified"),
            _ => ("off", "Not verified"),
        }
    }

    /// Whether it is verified, but its mail certainly doesn't arrive.
    pub fn is_cut_off(&self) -> bool {
        self.is_active() && matches!(self.mx_state(), RecordState::Wrong | RecordState::Missing)
    }
}

/// A domain in the list, and the changes that its records need.
struct Row {
    domain: Domain,
    tone: &'static str,
    /// The found and expected values of the first record that isn't correct.
    finding: String,
    /// Whether a record has to be changed. Otherwise, checking again can help.
    needs_fix: bool,
}

impl Row {
    fn of(domain: Domain, mail_host: &str) -> Self {
        let records = domain.records(mail_host);
        let Some(record) = records.iter().find(|record| record.state != RecordState::Ok) else {
            let finding = records.iter().map(|record| record.kind).collect::<Vec<_>>().join(" and ");
            let finding =
                format!("{finding} {}", if records.len() == 1 { "is correct" } else { "are correct" });
            return Self { domain, tone: "success", finding, needs_fix: false };
        };
        let needs_fix = matches!(record.state, RecordState::Wrong | RecordState::Missing);
        let tone = match record.state {
            RecordState::Unchecked => "off",
            RecordState::Unknown => "warning",
            _ => "danger",
        };
        Self { tone, finding: record.finding(), needs_fix, domain }
    }

    /// The state of the domain, unless it is normal.
    fn exception(&self) -> Option<Badge> {
        Some(self.domain.badge()).filter(|(tone, _)| *tone != "success")
    }
}

impl Record {
    /// The found and expected values in one line.
    fn finding(&self) -> String {
        let wanted = self.wanted();
        match (self.state, self.found.as_slice()) {
            (RecordState::Ok, _) => format!("{} is correct", self.kind),
            (RecordState::Unchecked, _) => "Not checked yet".into(),
            (RecordState::Unknown, _) => format!("{}: the DNS didn't answer", self.kind),
            (RecordState::Wrong, [found]) => format!("{}: found {found}, wants {wanted}", self.kind),
            (RecordState::Wrong, [found, more @ ..]) => {
                format!("{}: found {found} and {} more, wants {wanted}", self.kind, more.len())
            }
            _ => format!("{}: nothing found, wants {wanted}", self.kind),
        }
    }

    /// The value without an MX record's priority, because the found values have none.
    fn wanted(&self) -> &str {
        self.value.strip_prefix("10 ").unwrap_or(&self.value)
    }
}

#[derive(Template)]
#[template(path = "mailroom/domains.html", blocks = ["list"])]
struct DomainsPage {
    layout: Layout,
    shared: String,
    list: List<Row>,
}

#[derive(Template)]
#[template(path = "mailroom/_new_domain.html")]
struct NewDomain<'a> {
    question: &'a Confirmation,
    form: Form,
}

async fn list(member: Member, htmx: Htmx, asked: ListQuery<Filters>) -> Answer {
    let (order, window) = asked.sorted_window(DomainId::parse)?;
    let found = member.read(move |tx, team| {
        let page = mail_domains::sorted(tx, team, &Filter, order, window)?;
        Ok((page, mail_domains::count(tx, team, &Filter)?))
    });
    let (Page { rows, next }, count) = found.await?;
    let (host, shared) = (member.app().mail_host(), member.app().mail_settings().domain.clone());
    let rows = rows.into_iter().map(|domain| Row::of(domain, &host)).collect();
    let list = List::of(&asked, (Page { rows, next }, count)).sorted(&asked, order);
    let page = DomainsPage { layout: Layout::new(&member, "domains"), shared, list };
    page.list.answer(htmx, &page, &page.as_list())
}

async fn ask_new(admin: Admin, htmx: Htmx) -> Answer {
    ask_for_new(&admin, htmx, StatusCode::OK, Form::default())
}

fn ask_for_new(viewer: &Viewer, htmx: Htmx, status: StatusCode, form: Form) -> Answer {
    let mut question = Confirmation::new(viewer, "domains", "Add domain", paths::DOMAINS.to_string());
    question.on_page("Domains", "Add domain".into());
    question.ask_in(&NewDomain { question: &question, form }, htmx, viewer, status)
}

async fn add(admin: Admin, form: Form) -> Answer {
    let (name, shared) = (DomainName::parse(form.get("name")), admin.app().mail_settings().domain.clone());
    let added = admin.write(move |tx, actor, team| mail_domains::add(tx, actor, team, &shared, &name?));
    let again = async |status, form| ask_for_new(&admin, Htmx(false), status, form);
    let to = |domain: Domain| paths::DOMAIN.of(domain.id);
    redirect_or_ask(added.await, Notice::DomainAdded, to, form, again).await
}
