use actix_web::web::{self, Bytes};
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiError;
use super::api_keys::ApiKey;
use super::caller::ApiCaller;
use super::etag::IfMatch;
use super::json::{NoQuery, Query, rendered};
use super::resource::{Context, Resource};
use super::response::{Done, NoContent, Prepared};
use super::route::{At, Tag, at, op};
use crate::app::App;
use crate::domain::Timestamp;
use crate::domain::access::plans::Plan;
use crate::domain::access::scopes::{Need, Scopes};
use crate::domain::access::tokens::{self, TokenId};
use crate::domain::people::teams::TeamId;
use crate::web::request::RequestInfo;

const ME: Tag = Tag {
    name: "Me",
    text: "The team and the token behind a request. An app can also revoke its own token, if it leaked.",
};

pub fn routes() -> Vec<At> {
    vec![
        at("/me", &ME).get(op("getMe", Need::AnyToken, show).untagged().about(
            "Get the current token",
            "The team and the token of this request. A good first request with a new token.",
        )),
        at("/me/token", &ME).delete(
            op("revokeMyToken", Need::AnyToken, revoke)
                .about(
                    "Revoke the current token",
                    "Permanently revokes the token of this request, for example after it leaked.",
                )
                .may(204, "The token is revoked.")
                .may(409, "The token is already revoked."),
        ),
    ]
}

/// The team and the token of a request.
#[derive(Serialize, ToSchema)]
pub struct Me<'a> {
    team: MyTeam<'a>,
    /// `null` for a request with the dashboard's session.
    token: Option<MyToken<'a>>,
    #[schema(value_type = String, example = "pro")]
    plan: Plan,
    /// What the caller can do; with the dashboard's session, everything.
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

pub async fn show(caller: ApiCaller, _: Query<NoQuery>) -> Prepared<Me<'static>> {
    let json = match &caller {
        ApiCaller::Token(admission) => admission.shown.get_or_init(|| render(&caller)).clone(),
        ApiCaller::Person(_) => render(&caller),
    };
    rendered(json).into()
}

fn render(caller: &ApiCaller) -> Bytes {
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

pub async fn revoke(
    app: web::Data<App>,
    caller: ApiCaller,
    request: RequestInfo,
    seen: IfMatch,
    _: Query<NoQuery>,
) -> Done {
    let ApiCaller::Token(admission) = &caller else {
        return Err(ApiError::forbidden(
            "This request uses a session, not a token. Revoke tokens at /api-keys.",
        ));
    };
    let (team, id, actor) = (admission.team.id, admission.token.id, caller.actor(&request));
    let context = Context { app: app.clone(), now: request.now };
    let revoked = app.write(move |tx| {
        let before = tokens::lock(tx, &actor, team, id)?;
        seen.check(|| ApiKey::tag(&before, &context))?;
        tokens::revoke(tx, &actor, team, id, Some("revoked by itself"))
    });
    revoked.await?;
    Ok(NoContent)
}
