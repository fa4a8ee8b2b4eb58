//! Domains: the list, and adding one.

use actix_web::http::StatusCode;
use askama::Template;

use crate::domain::Timestamp;
use crate::domain::mailroom::address::DomainName;
use crate::domain::mailroom::mail_domains::{self, Domain};
use crate::web::pages::form::{Form, redirect_or_render};
use crate::web::pages::{Admin, Answer, Badge, Layout, Member, Notice, PageError, html};
use crate::web::paths;
use crate::web::route::{PageRoute, page};
use crate::web::viewer::Viewer;

pub fn routes() -> Vec<PageRoute> {
    vec![page(paths::DOMAINS).get(list).post(add)]
}

impl Domain {
    pub fn badge(&self) -> Badge {
        match self {
            Self { suspended_at: Some(_), .. } => ("danger", "Suspended"),
            _ if self.suspension_due().is_some() => ("warning", "TXT record missing"),
            _ if self.is_active() => ("success", "Verified"),
            _ => ("off", "Not verified"),
        }
    }

    /// Since when it is suspended or verified.
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
    form: Form,
}

impl DomainsPage {
    async fn load(viewer: &Viewer, form: Form) -> Result<Self, PageError> {
        let domains = viewer.read(mail_domains::list).await?;
        let shared = viewer.app().mail_settings().domain.clone();
        Ok(Self { layout: Layout::new(viewer, "domains"), shared, domains, form })
    }
}

async fn list(member: Member) -> Answer {
    html(StatusCode::OK, &DomainsPage::load(&member, Form::default()).await?)
}

async fn add(admin: Admin, form: Form) -> Answer {
    let (name, shared) = (DomainName::parse(form.get("name")), admin.app().mail_settings().domain.clone());
    let added = admin.write(move |tx, actor, team| mail_domains::add(tx, actor, team, &shared, &name?));
    let again = async |form| DomainsPage::load(&admin, form).await;
    redirect_or_render(added.await, Notice::DomainAdded, |domain| paths::DOMAIN.of(domain.id), form, again)
        .await
}
