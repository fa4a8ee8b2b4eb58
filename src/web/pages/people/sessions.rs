//! Sessions: signing them out, and switching their team.

use actix_web::{HttpResponse, web};

use super::agent;
use crate::app::App;
use crate::domain::people::sessions::{self, Session, SessionId};
use crate::domain::people::teams::TeamId;
use crate::web::pages::error::PageError;
use crate::web::pages::format::When;
use crate::web::pages::guards::{Member, SignedIn};
use crate::web::pages::notice::Notice;
use crate::web::pages::see_other_with;
use crate::web::paths;

type Answer = Result<HttpResponse, PageError>;

pub struct SessionRow {
    pub id: String,
    /// `Firefox on Linux`
    pub browser: String,
    /// The whole User-Agent header.
    pub agent: String,
    pub ip: String,
    pub last_seen: When,
    pub is_this: bool,
    /// The icon of its device.
    pub icon: &'static str,
}

impl SessionRow {
    pub fn new(row: Session, own: SessionId) -> Self {
        let agent = row.agent.unwrap_or_default();
        Self {
            id: row.id.to_string(),
            browser: agent::name(&agent),
            icon: agent::icon(&agent),
            agent,
            ip: row.ip.unwrap_or_default(),
            last_seen: When(row.last_seen_at),
            is_this: row.id == own,
        }
    }
}

pub async fn revoke(app: web::Data<App>, member: Member, id: web::Path<SessionId>) -> Answer {
    let id = id.into_inner();
    let (actor, user) = (member.actor(), member.user.id);
    app.write(move |tx| sessions::revoke(tx, &actor, user, id)).await?;
    Ok(see_other_with(paths::ACCOUNT, Notice::SessionRevoked))
}

pub async fn revoke_others(app: web::Data<App>, member: Member) -> Answer {
    let (actor, user, own) = (member.actor(), member.user.id, member.session.id);
    Ok(match app.write(move |tx| sessions::revoke_others(tx, &actor, user, own)).await? {
        0 => see_other_with(paths::ACCOUNT, Notice::NothingChanged),
        _ => see_other_with(paths::ACCOUNT, Notice::SessionsRevoked),
    })
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct SwitchForm {
    team: String,
}

pub async fn switch_team(app: web::Data<App>, person: SignedIn, form: web::Form<SwitchForm>) -> Answer {
    let team = TeamId::parse(&form.team).ok_or_else(PageError::not_found)?;
    let (actor, session) = (person.actor(), person.session.clone());
    app.write(move |tx| sessions::switch_team(tx, &actor, &session, team)).await?;
    Ok(see_other_with(paths::INBOX, Notice::TeamSwitched))
}
