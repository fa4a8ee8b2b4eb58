//! The frame around every signed-in page.

use super::navigation::{self, Group, Page};
use super::notice::{Notice, Undo};
use crate::domain::mailroom::messages::MAX_UNREAD;
use crate::domain::people::roles::Role;
use crate::web::flash::Flash;
use crate::web::viewer::Viewer;

pub struct Layout {
    pub person: String,
    pub email: String,
    pub team: String,
    pub team_id: String,
    pub role: Role,
    pub teams: Vec<TeamChoice>,
    pub nav: &'static str,
    pub is_admin: bool,
    pub unread: Unread,
    flash: Flash,
}

pub struct TeamChoice {
    pub id: String,
    pub name: String,
    pub current: bool,
}

impl Layout {
    pub fn new(viewer: &Viewer, nav: &'static str) -> Self {
        Self {
            person: viewer.user.name.clone(),
            email: viewer.user.email.clone(),
            team: viewer.team.name.clone(),
            team_id: viewer.team.id.to_string(),
            role: viewer.role,
            teams: viewer.teams.iter().map(|team| choice(viewer, team)).collect(),
            nav,
            is_admin: viewer.role >= Role::Admin,
            unread: Unread(viewer.unread),
            flash: viewer.flash.clone(),
        }
    }

    /// The layout of an error page. Leaves a pending notice for the next page.
    pub fn of_error(viewer: &Viewer) -> Self {
        Self { flash: Flash::default(), ..Self::new(viewer, "") }
    }

    pub fn navigation(&self) -> Vec<Group> {
        navigation::groups(self.role)
    }

    pub fn main_pages(&self) -> impl Iterator<Item = &'static Page> {
        navigation::main_pages(self.role)
    }

    /// The role in the account menu.
    pub fn role_name(&self) -> &'static str {
        match self.role {
            Role::Member => "Member",
            Role::Admin => "Admin",
            Role::Owner => "Owner",
        }
    }

    /// The notice of the previous change, with its Undo. Fragments leave it for the next page.
    pub fn notice(&self) -> Option<(Notice, Option<Undo>)> {
        self.flash.take()
    }
}

fn choice(viewer: &Viewer, team: &crate::domain::people::teams::Team) -> TeamChoice {
    TeamChoice { id: team.id.to_string(), name: team.name.clone(), current: team.id == viewer.team.id }
}

/// The number of unread messages in the navigation.
#[derive(Clone, Copy)]
pub struct Unread(pub i64);

impl Unread {
    /// Empty if there are none.
    pub fn text(&self) -> String {
        match self.0 {
            0 => String::new(),
            more if more > MAX_UNREAD => format!("{MAX_UNREAD}+"),
            count => count.to_string(),
        }
    }
}
