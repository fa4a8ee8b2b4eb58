//! The team and its people: `/team`.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiError;
use super::caller::ApiCaller;
use super::json::{Json, Query};
use super::me::NoQuery;
use super::paging::{Page, PageQuery};
use crate::app::App;
use crate::domain::Timestamp;
use crate::domain::access::plans::Plan;
use crate::domain::people::members::{self, Member};
use crate::domain::people::roles::Role;
use crate::domain::people::teams::TeamId;
use crate::domain::people::users::UserId;

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

/// Somebody in the team.
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

impl From<Member> for Person {
    fn from(member: Member) -> Self {
        let role = member.role();
        Self { id: member.user_id, name: member.name, email: member.email, role, joined_at: member.joined_at }
    }
}

/// Read the team
///
/// The team this call is made for.
#[utoipa::path(get, operation_id = "getTeam", path = "/api/v1/team", tag = "Team", responses((status = 200, body = Team)))]
pub async fn show(caller: ApiCaller, _: Query<NoQuery>) -> Json<Team> {
    let team = caller.team();
    Json(Team {
        id: team.id,
        name: team.name.clone(),
        plan: team.plan,
        api_enabled: team.api_enabled,
        created_at: team.created_at,
    })
}

/// List people
///
/// The people of the team with their roles, by name. Exactly one is the owner.
#[utoipa::path(get, operation_id = "listPeople", path = "/api/v1/team/people", tag = "Team", params(PageQuery), responses((status = 200, body = Page<Person>)))]
pub async fn people(
    app: web::Data<App>,
    caller: ApiCaller,
    query: Query<PageQuery>,
) -> Result<Json<Page<Person>>, ApiError> {
    let bounds = query.0.bounds()?;
    let team = caller.team().id;
    let (people, total) = app.read(move |tx| members::page(tx, team, bounds.0, bounds.1)).await?;
    let people = people.into_iter().map(Person::from).collect();
    Ok(Json(Page::by_offset(people, bounds, total)))
}
