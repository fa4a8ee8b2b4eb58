//! Who calls: `/me`.

use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiError;
use super::api_keys::ApiKey;
use super::caller::ApiCaller;
use super::etag::{self, Seen};
use super::json::{self, Query};
use crate::app::App;
use crate::domain::Timestamp;
use crate::domain::access::plans::Plan;
use crate::domain::access::scopes::Scopes;
use crate::domain::access::tokens::{self, TokenId};
use crate::domain::people::teams::TeamId;
use crate::web::request::RequestInfo;

/// The team and the token a call is made with.
#[derive(Serialize, ToSchema)]
pub struct Me<'a> {
    team: MyTeam<'a>,
    /// `null` for a call with the dashboard's session.
    token: Option<MyToken<'a>>,
    #[schema(value_type = String, example = "pro")]
    plan: Plan,
    /// What this call may do: everything, for one with the dashboard's session.
    #[schema(value_type = Vec<String>, example = json!(["aliases:read", "contacts:read", "messages:read"]))]
    scopes: Scopes,
}

#[derive(Serialize, ToSchema)]
pub struct MyTeam<'a> {
    #[schema(value_type = String, example = "team_019f2a4c1d877e02b6f03a9d1c55e7aa")]
    id: TeamId,
    #[schema(example = "Acme")]
    name: &'a str,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MyToken<'a> {
    #[schema(value_type = String, example = "tok_019f2a4c1d877e02b6f03a9d1c55e7ab")]
    id: TokenId,
    #[schema(example = "ci")]
    name: &'a str,
    #[schema(example = "gp_1a2b3c4d")]
    start: &'a str,
    #[schema(value_type = String, format = DateTime, example = "2026-03-01T09:14:05.123456Z")]
    created_at: Timestamp,
}

/// Nothing may be asked besides the address.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoQuery {}

/// Who am I?
///
/// The team and the token this call is made with: the first call to make with a new token.
#[utoipa::path(get, operation_id = "getMe", path = "/api/v1/me", tag = "Me", responses((status = 200, body = Me<'_>)))]
pub async fn show(caller: ApiCaller, _: Query<NoQuery>) -> HttpResponse {
    json::shown(match &caller {
        ApiCaller::Token(admission) => admission.shown.get_or_init(|| draw(&caller)).clone(),
        ApiCaller::Person(_) => draw(&caller),
    })
}

fn draw(caller: &ApiCaller) -> Bytes {
    let team = caller.team();
    let (token, scopes) = match caller {
        ApiCaller::Token(admission) => (Some(&admission.token), admission.scopes),
        ApiCaller::Person(_) => (None, Scopes::ALL),
    };
    let me = Me {
        team: MyTeam { id: team.id, name: &team.name },
        token: token.map(|token| MyToken {
            id: token.id,
            name: &token.name,
            start: &token.start,
            created_at: token.created_at,
        }),
        plan: team.plan,
        scopes,
    };
    serde_json::to_vec(&me).expect("names and ids are JSON").into()
}

/// Revoke this token
///
/// Revokes the token this call is made with, for good: what to do with a token that leaked.
#[utoipa::path(delete, operation_id = "revokeMyToken", path = "/api/v1/me/token", tag = "Me", responses((status = 204, description = "The token is revoked."), (status = 409, description = "The token was revoked meanwhile.")))]
pub async fn revoke(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    seen: Seen,
    _: Query<NoQuery>,
) -> Result<HttpResponse, ApiError> {
    let ApiCaller::Token(admission) = &caller else {
        return Err(ApiError::forbidden(
            "This call is made with a session, not with a token. Revoke tokens at /api-keys.",
        ));
    };
    let (team, id, actor) = (admission.team.id, admission.token.id, caller.actor(&request));
    let revoked = app.write(move |tx| {
        let before = tokens::hold(tx, &actor, team, id)?;
        seen.is(|| etag::of(&ApiKey::of(before, actor.now)))?;
        tokens::revoke(tx, &actor, team, id, Some("revoked by itself"))
    });
    revoked.await?;
    Ok(HttpResponse::NoContent().finish())
}
