//! The page of a domain: checking its DNS records, setting its catch-all, and removing it.

use std::net::SocketAddr;

use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use crate::domain::lists::{Capped, Window};
use crate::domain::mailroom::aliases::{self, Alias, AliasId};
use crate::domain::mailroom::mail_domains::{self, Domain, DomainId, Record, RecordState};
use crate::domain::{Error, FieldError};
use crate::web::htmx::Htmx;
use crate::web::pages::form::{Choice, Form, redirect_or_render};
use crate::web::pages::{
    Admin, Answer, Badge, Confirmation, Layout, Member, Notice, PageError, html, see_other_with,
};
use crate::web::paths;
use crate::web::route::{PageRoute, page};
use crate::web::viewer::Viewer;

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::DOMAIN).get(show),
        page(paths::DOMAIN_CHECK).post(check),
        page(paths::DOMAIN_CATCH_ALL).post(set_catch_all),
        page(paths::DOMAIN_REMOVE).get(ask_remove).post(remove),
    ]
}

/// The maximum number of aliases in the catch-all menu.
const MAX_CHOICES: i64 = 100;

impl Record {
    /// Makes the ids of cells with a copy button unique.
    fn key(&self) -> String {
        self.kind.to_ascii_lowercase()
    }

    fn badge(&self) -> Badge {
        match self.state {
            RecordState::Unchecked => ("off", "Not checked yet"),
            RecordState::Ok => ("success", "Correct"),
            RecordState::Missing => ("danger", "Missing"),
            RecordState::Wrong => ("danger", "Wrong value"),
            RecordState::Unknown => ("warning", "DNS error"),
        }
    }

    fn tone(&self) -> &'static str {
        self.badge().0
    }

    fn icon(&self) -> &'static str {
        match self.tone() {
            "success" => "check",
            "danger" => "x",
            "warning" => "triangle-alert",
            _ => "circle-dashed",
        }
    }

    fn title(&self) -> &'static str {
        if self.is_mx() { "Incoming mail" } else { "Ownership" }
    }

    fn is_mx(&self) -> bool {
        self.kind == "MX"
    }

    fn why(&self) -> &'static str {
        match (self.is_mx(), self.state) {
            (_, RecordState::Unknown) => "DNS didn't respond. Check again in a few minutes.",
            (false, RecordState::Ok) => "Verifies that you own the domain. Keep it in place.",
            (false, RecordState::Wrong) => "Other values were found. Add this one alongside them.",
            (false, _) => "Add this record to verify that you own the domain.",
            (true, RecordState::Ok) => "Routes the domain's mail to this server.",
            (true, RecordState::Wrong) => "Another server receives this domain's mail. Replace its record.",
            (true, _) => "Add this record to route the domain's mail to this server.",
        }
    }

    fn is_ok(&self) -> bool {
        self.state == RecordState::Ok
    }

    /// The text beside the expected value if DNS returned none.
    fn nothing_found(&self) -> &'static str {
        if self.state == RecordState::Unchecked { "Not checked yet" } else { "Nothing" }
    }
}

#[derive(Template)]
#[template(path = "mailroom/domain.html")]
struct DomainPage {
    layout: Layout,
    domain: Domain,
    records: Vec<Record>,
    /// Whether other mail servers can find this one.
    is_public: bool,
    /// The SMTP address, if other machines can't connect to it and no mail server forwards to LMTP.
    local_only: Option<SocketAddr>,
    addresses: Capped,
    /// The aliases that can be the catch-all.
    choices: Vec<Choice>,
    has_more: bool,
    catch_all: Option<Alias>,
    form: Form,
}

impl DomainPage {
    async fn load(viewer: &Viewer, id: DomainId, form: Form) -> Result<Self, PageError> {
        let read = viewer.read(move |tx, team| {
            let domain = mail_domains::find(tx, team, id)?;
            let newest = aliases::list(tx, team, &aliases::Filter::default(), Window::first(MAX_CHOICES))?;
            let listed = newest.rows.iter().find(|alias| Some(alias.id) == domain.catch_all_id).cloned();
            let catch_all = match (listed, domain.catch_all_id) {
                (None, Some(id)) => aliases::find_all(tx, team, &[id])?.pop(),
                (listed, _) => listed,
            };
            Ok((domain, newest, catch_all, aliases::count(tx, team, &of_domain(id))?))
        });
        let (domain, newest, catch_all, addresses) = read.await?;
        let catch_all = catch_all.filter(|alias| alias.deleted_at.is_none());
        let chosen = catch_all.as_ref().map(|alias| alias.id);
        let others = newest.rows.iter().filter(|alias| Some(alias.id) != chosen);
        let choices = catch_all.iter().chain(others).map(|alias| Choice::new(alias.id, alias.address()));
        let host = viewer.app().mail_host();
        Ok(Self {
            layout: Layout::new(viewer, "domains"),
            records: domain.records(&host),
            is_public: mail_domains::is_public(&host),
            local_only: local_only(viewer).filter(|_| mail_domains::is_public(&host)),
            domain,
            addresses,
            choices: choices.collect(),
            has_more: newest.next.is_some(),
            catch_all,
            form,
        })
    }

    fn correct(&self) -> usize {
        self.records.iter().filter(|record| record.state == RecordState::Ok).count()
    }

    fn is_complete(&self) -> bool {
        self.correct() == self.records.len()
    }

    fn lead(&self) -> &'static str {
        match &self.domain {
            domain if domain.suspended_at.is_some() => "Mail to this domain is refused.",
            domain if !domain.is_active() => "It receives mail once it's verified.",
            domain if !domain.is_cut_off() => "It receives mail.",
            _ => "Mail to this domain isn't arriving. Correct its MX record at your DNS provider.",
        }
    }

    /// The id of the catch-all, or empty.
    fn chosen(&self) -> String {
        self.catch_all.as_ref().map(|alias| alias.id.to_string()).unwrap_or_default()
    }
}

fn local_only(viewer: &Viewer) -> Option<SocketAddr> {
    let app = viewer.app();
    app.smtp_address().filter(|at| at.ip().is_loopback() && app.config().mail.lmtp_listen.is_none())
}

fn of_domain(id: DomainId) -> aliases::Filter {
    aliases::Filter { domain: Some(Some(id)), ..aliases::Filter::default() }
}

async fn show(member: Member, id: Path<DomainId>) -> Answer {
    html(StatusCode::OK, &DomainPage::load(&member, *id, Form::default()).await?)
}

/// Looks up the DNS records now.
async fn check(admin: Admin, id: Path<DomainId>) -> Answer {
    admin.app().check_domain(admin.actor(), admin.team.id, *id).await?;
    Ok(see_other_with(paths::DOMAIN.of(*id), Notice::DomainChecked))
}

async fn set_catch_all(admin: Admin, id: Path<DomainId>, form: Form) -> Answer {
    let id = *id;
    let gone = || FieldError::new("alias", "This alias no longer exists. Choose another.");
    let alias = match form.get("alias") {
        "" => Ok(None),
        alias => AliasId::parse(alias).map(Some).ok_or_else(gone),
    };
    let changed = admin.write(move |tx, actor, team| {
        // Responds 404 for another team's domain even if the form has errors.
        mail_domains::find(tx, team, id)?;
        let changed = mail_domains::set_catch_all(tx, actor, team, id, alias?);
        changed.map_err(|error| if matches!(error, Error::NotFound) { gone().into() } else { error })
    });
    let again = async |form| DomainPage::load(&admin, id, form).await;
    let notice = match form.get("alias") {
        "" => Notice::CatchAllRemoved,
        _ => Notice::CatchAllChanged,
    };
    redirect_or_render(changed.await, notice, |_| paths::DOMAIN.of(id), form, again).await
}

async fn ask_remove(admin: Admin, htmx: Htmx, id: Path<DomainId>) -> Answer {
    let id = *id;
    let read = admin.read(move |tx, team| {
        Ok((mail_domains::find(tx, team, id)?, aliases::count(tx, team, &of_domain(id))?))
    });
    let (domain, addresses) = read.await?;
    let mut question = Confirmation::new(&admin, "domains", "Remove domain", paths::DOMAIN_REMOVE.of(id));
    question.about(domain.name, paths::DOMAIN.of(id));
    question.explain(match addresses.0 {
        0 => "It has no aliases.".into(),
        1 => "Its 1 alias stops receiving.".into(),
        _ => format!("Its {addresses} aliases stop receiving."),
    });
    question.explain("Mail to the domain is refused, and stored messages are kept. If you add and verify the domain again, its aliases return.");
    question.explain("Remove its MX record from DNS too. While it points here, senders get an error.");
    question.ask(htmx, &admin)
}

async fn remove(admin: Admin, id: Path<DomainId>) -> Answer {
    admin.write(move |tx, actor, team| mail_domains::remove(tx, actor, team, *id)).await?;
    Ok(see_other_with(paths::DOMAINS, Notice::DomainRemoved))
}
