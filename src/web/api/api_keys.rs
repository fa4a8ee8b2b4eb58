//! Tokens over HTTP: `/api-keys`. Anybody let in may list them; only people change them.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ApiError;
use super::caller::{ApiCaller, SessionCaller};
use super::etag::{self, Seen};
use super::idempotency::{self, IdempotencyKey};
use super::json::{Json, Query};
use super::me::NoQuery;
use super::paging::{Page, PageQuery};
use crate::app::App;
use crate::domain::Timestamp;
use crate::domain::access::idempotency::Created;
use crate::domain::access::scopes::Scopes;
use crate::domain::access::secret::PlainToken;
use crate::domain::access::tokens::{self, Label, Token, TokenId};

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    #[schema(value_type = String, example = "tok_019f2a4c1d877e02b6f03a9d1c55e7ab")]
    id: TokenId,
    #[schema(example = "ci")]
    name: String,
    /// The prefix and the first 8 characters after it.
    #[schema(example = "gp_1a2b3c4d")]
    start: String,
    /// `token`, or `team_key` for the one that can be shown again.
    #[schema(example = "token")]
    kind: &'static str,
    /// `active`, `expired` or `revoked`.
    #[schema(example = "active")]
    state: &'static str,
    /// What it may do: every scope of today where `allScopes` is true.
    #[schema(value_type = Vec<String>, example = json!(["aliases:read", "contacts:read", "messages:read"]))]
    scopes: Scopes,
    /// Whether it is not narrowed, and may also do what later versions add.
    #[schema(example = false)]
    all_scopes: bool,
    #[schema(value_type = String, format = DateTime, example = "2026-03-01T09:14:05.123456Z")]
    created_at: Timestamp,
    #[schema(example = "ada@acme.test")]
    created_by: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    revoked_by: Option<String>,
    revoke_reason: Option<String>,
}

impl ApiKey {
    pub fn of(token: Token, now: Timestamp) -> Self {
        let scopes = token.scopes();
        Self {
            id: token.id,
            state: token.state(now).as_str(),
            kind: token.kind.as_str(),
            scopes,
            all_scopes: scopes.is_all(),
            name: token.name,
            start: token.start,
            created_at: token.created_at,
            created_by: token.created_by_label,
            last_used_at: token.last_used_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            revoked_by: token.revoked_by_label,
            revoke_reason: token.revoke_reason,
        }
    }
}

/// A token just made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedApiKey {
    #[serde(flatten)]
    key: ApiKey,
    /// The whole token. Keep it where secrets are kept: it is told once. `null` in the answer to
    /// a creation that is repeated by its `Idempotency-Key`.
    #[schema(example = "gp_1a2b3c4d…")]
    token: Option<String>,
    /// Where there is no `token`, why, and what to do about it.
    notice: Option<&'static str>,
}

impl CreatedApiKey {
    /// What is kept for a repetition holds no secret, not even sealed: besides the team key,
    /// which is kept by the owner's choice, no token can be read back from the store. Whoever
    /// lost the first answer has lost a token that nobody knows, and makes another.
    fn made(key: ApiKey, plain: &PlainToken) -> Created {
        let location = format!("/api/v1/api-keys/{}", key.id);
        let tag = etag::of(&key).to_string();
        let first = Self { key, token: Some(plain.reveal().to_owned()), notice: None };
        let body = idempotency::json(&first);
        let notice = "The token was told once, in the first answer, and is kept nowhere. If you lost that, revoke this token and create another, with a new Idempotency-Key.";
        let again = idempotency::json(&Self { token: None, notice: Some(notice), ..first });
        Created { location, tag, body, again: Some(again) }
    }
}

/// A token to be made.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// The system that uses the token; one active token of a team has a name.
    #[schema(example = "ci", min_length = 1, max_length = 60)]
    name: String,
    /// What it may do: scopes, or `all` alone. Every reading one when left out.
    #[schema(example = json!(["aliases:read", "aliases:write"]))]
    scopes: Option<Vec<String>>,
}

impl NewApiKey {
    fn parse(&self) -> Result<(Label, Scopes), ApiError> {
        let scopes = match &self.scopes {
            None => Ok(Scopes::READ),
            Some(names) => Scopes::parse(&names.join(" ")),
        };
        match (Label::parse(&self.name), scopes) {
            (Ok(label), Ok(scopes)) => Ok((label, scopes)),
            (label, scopes) => {
                Err(ApiError::invalid_fields([label.err(), scopes.err()].into_iter().flatten().collect()))
            }
        }
    }
}

/// What to change of a token; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Naming {
    /// The system that uses the token; one active token of a team has a name.
    #[schema(example = "ci", min_length = 1, max_length = 60)]
    name: Option<String>,
}

/// Why a token is revoked.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Why {
    /// Kept with the token, up to 200 characters.
    #[serde(default)]
    reason: String,
}

/// List tokens
///
/// Every token of the team, newest first, revoked ones too. Secrets are never listed.
#[utoipa::path(get, operation_id = "listApiKeys", path = "/api/v1/api-keys", tag = "API keys", params(PageQuery), responses((status = 200, body = Page<ApiKey>)))]
pub async fn list(
    app: web::Data<App>,
    caller: ApiCaller,
    query: Query<PageQuery>,
) -> Result<Json<Page<ApiKey>>, ApiError> {
    let window = query.0.window(TokenId::parse)?;
    let (team, now, all) = (caller.team().id, app.now(), tokens::Filter::default());
    let (page, total) = app
        .read(move |tx| Ok((tokens::list(tx, team, &all, window)?, tokens::count(tx, team, &all)?)))
        .await?;
    Ok(Json(Page::of(page, &window, Some(total), |token| ApiKey::of(token, now))))
}

/// Read a token
///
/// Without its secret, which is never told again.
#[utoipa::path(get, operation_id = "getApiKey", path = "/api/v1/api-keys/{id}", tag = "API keys", params(("id" = String, Path, description = "The token's id.", example = "tok_019f2a4c1d877e02b6f03a9d1c55e7ab")), responses((status = 200, body = ApiKey)))]
pub async fn show(
    app: web::Data<App>,
    caller: ApiCaller,
    path: web::Path<TokenId>,
    _: Query<NoQuery>,
) -> Result<Json<ApiKey>, ApiError> {
    let id = path.into_inner();
    let (team, now) = (caller.team().id, app.now());
    Ok(Json(ApiKey::of(app.read(move |tx| tokens::find(tx, team, id)).await?, now)))
}

/// Create a token
///
/// The answer holds the secret, once. For people signed in to the dashboard, whose password
/// was entered within the last 10 minutes; a token cannot make tokens.
#[utoipa::path(post, operation_id = "createApiKey", path = "/api/v1/api-keys", tag = "API keys", request_body = NewApiKey, responses((status = 201, body = CreatedApiKey), (status = 409, description = "An active token has this name.")))]
pub async fn create(
    app: web::Data<App>,
    caller: SessionCaller,
    key: IdempotencyKey,
    _: Query<NoQuery>,
    body: Json<NewApiKey>,
) -> Result<HttpResponse, ApiError> {
    let person = &caller.0;
    if !person.is_fresh() {
        let message = "Your password was last entered over 10 minutes ago. Create the token on the Developer page, which asks for it.";
        return Err(ApiError::forbidden(message));
    }
    let (label, scopes) = body.parse()?;
    let (actor, team, prefix) = (person.actor(), person.team.id, app.sealer().prefix.clone());
    let created = app.once(key.with(&*body), move |tx| {
        let (token, plain) = tokens::mint(tx, &actor, team, &label, scopes, &prefix)?;
        Ok(CreatedApiKey::made(ApiKey::of(token, actor.now), &plain))
    });
    idempotency::answer(created.await?)
}

/// Rename a token
///
/// Only an active token can be renamed; for people signed in to the dashboard.
#[utoipa::path(patch, operation_id = "renameApiKey", path = "/api/v1/api-keys/{id}", tag = "API keys", params(("id" = String, Path, description = "The token's id.", example = "tok_019f2a4c1d877e02b6f03a9d1c55e7ab")), request_body = Naming, responses((status = 200, body = ApiKey), (status = 409, description = "An active token has this name, or this token is not active.")))]
pub async fn rename(
    app: web::Data<App>,
    caller: SessionCaller,
    seen: Seen,
    path: web::Path<TokenId>,
    _: Query<NoQuery>,
    body: Json<Naming>,
) -> Result<Json<ApiKey>, ApiError> {
    let person = &caller.0;
    let id = path.into_inner();
    let label = body.name.as_deref().map(Label::parse).transpose().map_err(crate::domain::Error::from)?;
    let (actor, team) = (person.actor(), person.team.id);
    let now = actor.now;
    let renamed = app.write(move |tx| {
        let before = tokens::hold(tx, &actor, team, id)?;
        seen.is(|| etag::of(&ApiKey::of(before.clone(), now)))?;
        match label {
            Some(label) => tokens::rename(tx, &actor, team, id, &label),
            None => Ok(before),
        }
    });
    Ok(Json(ApiKey::of(renamed.await?, now)))
}

/// Revoke a token
///
/// At once and for good: the token's next call is refused. It stays in the list. For people
/// signed in to the dashboard.
#[utoipa::path(delete, operation_id = "revokeApiKey", path = "/api/v1/api-keys/{id}", tag = "API keys", params(("id" = String, Path, description = "The token's id.", example = "tok_019f2a4c1d877e02b6f03a9d1c55e7ab"), Why), responses((status = 204, description = "The token is revoked."), (status = 409, description = "The token is revoked already.")))]
pub async fn revoke(
    app: web::Data<App>,
    caller: SessionCaller,
    seen: Seen,
    path: web::Path<TokenId>,
    query: Query<Why>,
) -> Result<HttpResponse, ApiError> {
    let person = &caller.0;
    let id = path.into_inner();
    let reason = tokens::parse_reason(&query.0.reason).map_err(crate::domain::Error::from)?;
    let (actor, team) = (person.actor(), person.team.id);
    let revoked = app.write(move |tx| {
        let before = tokens::hold(tx, &actor, team, id)?;
        seen.is(|| etag::of(&ApiKey::of(before, actor.now)))?;
        tokens::revoke(tx, &actor, team, id, reason.as_deref())
    });
    revoked.await?;
    Ok(HttpResponse::NoContent().finish())
}
