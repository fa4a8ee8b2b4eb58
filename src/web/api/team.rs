use serde::Serialize;
use utoipa::ToSchema;

use super::caller::ApiCaller;
use super::json::{Json, NoQuery, Query};
use super::lists::{Listing, ShortList};
use super::resource::{Context, Form};
use super::route::{At, Tag, at, op};
use crate::domain::Timestamp;
use crate::domain::access::plans::Plan;
use crate::domain::access::scopes::Scope;
use crate::domain::people::members::{self, Member};
use crate::domain::people::roles::Role;
use crate::domain::people::teams::{self, TeamId};
use crate::domain::people::users::UserId;

const TEAM: Tag = Tag { name: "Team", text: "The team that the token belongs to, and its people." };

pub fn routes() -> Vec<At> {
    vec![
        at("/team", &TEAM)
            .get(op("getTeam", Scope::TeamRead, show).about("Get the team", "The team of this request.")),
        at("/team/people", &TEAM).get(op("listPeople", Scope::TeamRead, people).about(
            "List people",
            "The people of the team with their roles, by name. Exactly one is the owner.",
        )),
    ]
}

/// A team.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Team {
    #[schema(value_type = String, example = "team_019f2a4c1d877e02b6f03a9d1c55e7aa")]
    id: TeamId,
    #[schema(example = "Acme")]
    name: String,
    #[schema(value_type = String, example = "pro")]
    plan: Plan,
    #[schema(example = true)]
    api_enabled: bool,
    #[schema(value_type = String, format = DateTime, example = "2026-03-01T09:14:05.123456Z")]
    created_at: Timestamp,
}

/// Someone in the team.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    #[schema(value_type = String, example = "usr_019f2a4c1d877e02b6f03a9d1c55e7ac")]
    id: UserId,
    #[schema(example = "Ada Lovelace")]
    name: String,
    #[schema(example = "ada@acme.test")]
    email: String,
    #[schema(value_type = String, example = "owner")]
    role: Role,
    #[schema(value_type = String, format = DateTime, example = "2026-03-01T09:14:05.123456Z")]
    joined_at: Timestamp,
}

impl Form for Person {
    type Row = Member;
    type Id = UserId;

    fn of(member: Member, _: &Context) -> Self {
        let role = member.role();
        Self { id: member.user_id, name: member.name, email: member.email, role, joined_at: member.joined_at }
    }
}

impl From<&teams::Team> for Team {
    fn from(team: &teams::Team) -> Self {
        Self {
            id: team.id,
            name: team.name.clone(),
            plan: team.plan,
            api_enabled: team.api_enabled,
            created_at: team.created_at,
        }
    }
}

pub async fn show(caller: ApiCaller, _: Query<NoQuery>) -> Json<Team> {
    Json(Team::from(caller.team()))
}

pub async fn people(listed: ShortList<Person>) -> Listing<Person> {
    listed.page(|tx, team, (limit, offset)| members::page(tx, team, limit, offset)).await
}
