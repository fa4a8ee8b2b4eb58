//! The list of aliases, and creating an alias.

use actix_web::http::StatusCode;
use askama::Template;

use super::Chosen;
use crate::domain::Result;
use crate::domain::lists::Page;
use crate::domain::mailroom::address::LocalPart;
use crate::domain::mailroom::aliases::{self, Alias, AliasId, Filter, NewAlias};
use crate::domain::mailroom::mail_domains::{self, Domain, DomainId};
use crate::domain::search::Search;
use crate::web::htmx::Htmx;
use crate::web::pages::form::{Choice, Fields, Form, Repeating, lines, redirect_or_ask};
use crate::web::pages::list::{List, ListQuery, chosen, filters};
use crate::web::pages::{
    Answer, Confirmation, Layout, Member, Notice, PageError, Undo, see_other_to_undo, see_other_with,
};
use crate::web::paths;
use crate::web::route::{PageRoute, page};

/// The shared domain has no id.
const SHARED: &str = "shared";

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::ALIASES).get(list).post(create),
        page(paths::ALIAS_NEW).get(ask_new),
        page(paths::ALIASES_CHOSEN).post(act),
    ]
}

filters!(Filters at paths::ALIASES => q, state, domain, sort);

impl Filters {
    fn parse(&self) -> std::result::Result<Filter, PageError> {
        let enabled = chosen(&self.state, |state| match state {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        });
        let domain = chosen(&self.domain, |domain| match domain {
            SHARED => Some(None),
            id => DomainId::parse(id).map(Some),
        });
        Ok(Filter { domain: domain?, enabled: enabled?, text: Search::parse(&self.q)?.key() })
    }
}

/// An alias, and the reason why no mail arrives although it is on.
pub struct Row {
    pub alias: Alias,
    pub trouble: &'static str,
}

impl Row {
    pub fn of(alias: Alias, domains: &[Domain]) -> Self {
        let domain = domains.iter().find(|domain| Some(domain.id) == alias.domain_id);
        let trouble = match domain.map(|domain| (domain.is_active(), domain.suspended_at)) {
            None | Some((true, _)) => "",
            Some((false, None)) => "not verified",
            Some((false, Some(_))) => "suspended",
        };
        Self { alias, trouble }
    }

    pub fn has_second_line(&self) -> bool {
        !self.alias.enabled || !self.trouble.is_empty() || self.alias.note.is_some()
    }
}

#[derive(Template)]
#[template(path = "mailroom/aliases.html", blocks = ["list"])]
struct AliasesPage {
    layout: Layout,
    filters: Filters,
    list: List<Row>,
    shared: String,
    /// The domains in the filter.
    known: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "mailroom/_new_alias.html")]
struct NewAliasForm<'a> {
    question: &'a Confirmation,
    /// The domains on which aliases can be created.
    usable: Vec<Choice>,
    form: Form,
}

impl AliasesPage {
    async fn load(member: &Member, asked: ListQuery<Filters>) -> std::result::Result<Self, PageError> {
        let filter = asked.filters.parse()?;
        let (order, window) = asked.sorted_window(AliasId::parse)?;
        let read = member.read(move |tx, team| {
            let domains = mail_domains::list(tx, team)?;
            let Page { rows, next } = aliases::sorted(tx, team, &filter, order, window)?;
            let rows = rows.into_iter().map(|alias| Row::of(alias, &domains)).collect();
            Ok(((Page { rows, next }, aliases::count(tx, team, &filter)?), domains))
        });
        let (found, domains) = read.await?;
        let shared = member.app().mail_settings().domain.clone();
        let every = domains.iter().map(|domain| Choice::new(domain.id, &domain.name));
        let known = [Choice::new("", "All domains"), Choice::new(SHARED, &shared)].into_iter().chain(every);
        Ok(Self {
            layout: Layout::new(member, "aliases"),
            list: List::of(&asked, found).sorted(&asked, order),
            filters: asked.filters,
            known: known.collect(),
            shared,
        })
    }
}

async fn list(member: Member, htmx: Htmx, asked: ListQuery<Filters>) -> Answer {
    let page = AliasesPage::load(&member, asked).await?;
    page.list.answer(htmx, &page, &page.as_list())
}

fn parse(form: &Form) -> Result<NewAlias> {
    let mut fields = Fields::default();
    let local = Some(form.get("localPart").trim()).filter(|local| !local.is_empty());
    let local = fields.take(local.map(LocalPart::parse).transpose());
    let note = fields.take(aliases::parse_note(&lines(form.get("note"))));
    let (local, note) = fields.done(local.zip(note))?;
    Ok(NewAlias { local, domain: Some(form.get("domain").to_owned()), note })
}

/// Redirects to the new alias, where its address can be copied.
async fn create(member: Member, form: Form) -> Answer {
    let (new, shared) = (parse(&form), member.app().mail_settings().domain.clone());
    let created = member.write(move |tx, actor, team| aliases::create(tx, actor, team, &shared, &new?));
    let again = async |status, form| ask_for_new(&member, Htmx(false), status, form).await;
    let to = |alias: Alias| paths::ALIAS.of(alias.id);
    redirect_or_ask(created.await, Notice::AliasCreated, to, form, again).await
}

async fn ask_new(member: Member, htmx: Htmx) -> Answer {
    ask_for_new(&member, htmx, StatusCode::OK, Form::default()).await
}

async fn ask_for_new(member: &Member, htmx: Htmx, status: StatusCode, form: Form) -> Answer {
    let domains = member.read(mail_domains::list).await?;
    let own = domains.iter().filter(|domain| domain.is_active()).map(|domain| &domain.name);
    let all = [&member.app().mail_settings().domain].into_iter().chain(own);
    let usable = all.map(|name| Choice::new(name, format!("@{name}"))).collect();
    let mut question = Confirmation::new(member, "aliases", "Create alias", paths::ALIASES.to_string());
    question.on_page("Aliases", "Create alias".into());
    question.ask_in(&NewAliasForm { question: &question, usable, form }, htmx, member, status)
}

async fn act(member: Member, Repeating(chosen): Repeating<Chosen>) -> Answer {
    let (ids, back) = (chosen.ids(AliasId::parse)?, chosen.back::<Filters>(paths::ALIAS));
    let on = match chosen.action.as_str() {
        "on" => true,
        "off" => false,
        _ => return Err(PageError::bad_request("The field do must be on or off.")),
    };
    let switched = member.write(move |tx, actor, team| aliases::switch(tx, actor, team, &ids, on)).await?;
    let notice = match (switched.as_slice(), on) {
        ([], _) => return Ok(see_other_with(back, Notice::NothingChanged)),
        ([_], true) => Notice::AliasOn,
        ([_], false) => Notice::AliasOff,
        (_, true) => Notice::AliasesOn,
        (_, false) => Notice::AliasesOff,
    };
    Ok(see_other_to_undo(&back, notice, Some(undo(&switched, on).back_to(back.clone()))))
}

/// Undoes turning aliases on or off.
pub fn undo(switched: &[AliasId], on: bool) -> Undo {
    Undo::new(if on { "off" } else { "on" }, switched.iter().map(|id| ("id", id.to_string())))
}
