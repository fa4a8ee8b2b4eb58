//! The list of domains, and adding a domain.

use actix_web::http::StatusCode;
use askama::Template;

use crate::domain::Timestamp;
use crate::domain::mailroom::address::DomainName;
use crate::domain::mailroom::mail_domains::{self, Domain, RecordState};
use crate::web::htmx::Htmx;
use crate::web::pages::form::{Form, redirect_or_ask};
use crate::web::pages::{Admin, Answer, Badge, Confirmation, Layout, Member, Notice, html};
use crate::web::paths;
use crate::web::route::{PageRoute, page};
use crate::web::viewer::Viewer;

pub fn routes() -> Vec<PageRoute> {
    vec![page(paths::DOMAINS).get(list).post(add), page(paths::DOMAIN_NEW).get(ask_new)]
}

impl Domain {
    pub fn badge(&self) -> Badge {
        match self {
            Self { suspended_at: Some(_), .. } => ("danger", "Suspended"),
            _ if self.suspension_due().is_some() => ("warning", "TXT record missing"),
            _ if self.is_active() && !self.trouble().is_empty() => ("danger", "Not receiving"),
            _ if self.is_active() => ("success", "Verified"),
            _ => ("off", "Not verified"),
        }
    }

    /// The reason why mail to an active domain doesn't arrive, or empty.
    pub fn trouble(&self) -> &'static str {
        match self.mx_state() {
            RecordState::Wrong if self.is_active() => "Not receiving: wrong MX record",
            RecordState::Missing if self.is_active() => "Not receiving: no MX record",
            _ => "",
        }
    }

    /// The time of its suspension or verification.
    fn since(&self) -> Option<Timestamp> {
        self.suspended_at.or(self.verified_at.filter(|_| self.is_active()))
    }
}

#[derive(Template)]
#[template(path = "mailroom/domains.html")]
struct DomainsPage {
    layout: Layout,
    shared: String,
    domains: Vec<Domain>,
}

#[derive(Template)]
#[template(path = "mailroom/_new_domain.html")]
struct NewDomain<'a> {
    question: &'a Confirmation,
    form: Form,
}

async fn list(member: Member) -> Answer {
    let domains = member.read(mail_domains::list).await?;
    let shared = member.app().mail_settings().domain.clone();
    html(StatusCode::OK, &DomainsPage { layout: Layout::new(&member, "domains"), shared, domains })
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
