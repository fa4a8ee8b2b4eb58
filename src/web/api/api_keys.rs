use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ApiError;
use super::caller::SessionCaller;
use super::etag;
use super::field_errors::FieldErrors;
use super::idempotency;
use super::json::Json;
use super::lists::{Listed, Listing};
use super::resource::{Context, Find, Form, Lock, New, One, Resource, location};
use super::response::{ApiResult, CreateResult, Done};
use super::route::{At, Tag, at, op};
use crate::domain::access::idempotency::Stored;
use crate::domain::access::scopes::{Need, Scope, Scopes};
use crate::domain::access::secret::PlainToken;
use crate::domain::access::tokens::{self, Label, Token, TokenId};
use crate::domain::{Error, Timestamp};

const API_KEYS: Tag = Tag {
    name: "Tokens",
    text: "The tokens of your team: list them, see when each was last used, and find those that expire. Creating, renaming and revoking one requires a person signed in to the dashboard.",
};

pub fn routes() -> Vec<At> {
    vec![
        at(ApiKey::PATH, &API_KEYS)
            .get(op("listApiKeys", Scope::TokensRead, list).about(
                "List tokens",
                "All tokens of the team, newest first, including revoked ones. Secrets are never listed.",
            ))
            .post(
                op("createApiKey", Need::Person, create)
                    .revealing_a_secret()
                    .about(
                        "Create a token",
                        "The response contains the secret, which is never shown again. Requires a person signed in to the dashboard who entered their password within the last 10 minutes; a token cannot create tokens.",
                    )
                    .may(409, "An active token has this name."),
            ),
        at("/api-keys/{id}", &API_KEYS)
            .get(op("getApiKey", Scope::TokensRead, show).about(
                "Get a token",
                "Without its secret, which is never shown again.",
            ))
            .patch(
                op("renameApiKey", Need::Person, rename)
                    .about(
                        "Rename a token",
                        "Only an active token can be renamed. Requires a person signed in to the dashboard.",
                    )
                    .may(409, "An active token has this name, or this token is not active."),
            )
            .delete(
                op("revokeApiKey", Need::Person, revoke)
                    .about(
                        "Revoke a token",
                        "Permanent and immediate: the token's next request is refused. It stays in the list. Requires a person signed in to the dashboard.",
                    )
                    .may(204, "The token is revoked.")
                    .may(409, "The token is already revoked."),
            ),
    ]
}

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
    /// `token`, or `team_key` for the key that can be revealed again.
    #[schema(example = "token")]
    kind: &'static str,
    /// `active`, `expired` or `revoked`.
    #[schema(example = "active")]
    state: &'static str,
    /// The token's scopes; every current one if `allScopes` is true.
    #[schema(value_type = Vec<String>, example = json!(["aliases:read", "contacts:read", "messages:read"]))]
    scopes: Scopes,
    /// Whether the token can do everything, including what later versions add.
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

impl Form for ApiKey {
    type Row = Token;
    type Id = TokenId;

    fn of(token: Token, context: &Context) -> Self {
        let scopes = token.scopes();
        Self {
            id: token.id,
            state: token.state(context.now).as_str(),
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

impl Resource for ApiKey {
    const PATH: &'static str = "/api-keys";
    const FIND: Find<Self> = tokens::find;
    const LOCK: Lock<Self> = tokens::lock;

    fn id(token: &Token) -> TokenId {
        token.id
    }
}

/// A new token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedApiKey {
    #[serde(flatten)]
    key: ApiKey,
    /// The whole token, shown once: store it as a secret. `null` in the response to a retry with the same
    /// `Idempotency-Key`.
    #[schema(example = "gp_1a2b3c4d…")]
    token: Option<String>,
    /// If `token` is `null`: the reason, and what to do.
    notice: Option<&'static str>,
}

impl CreatedApiKey {
    /// The response stored for retries contains no secret, not even an encrypted one: the team key is the only
    /// token that can be read back from the store, because the owner chose that.
    fn stored(location: String, key: ApiKey, plain: &PlainToken) -> Stored {
        let tag = etag::of(&key).to_string();
        let first = Self { key, token: Some(plain.reveal().to_owned()), notice: None };
        let body = idempotency::json(&first);
        let notice = "The token was shown once, in the first response, and is stored nowhere. If you lost it, revoke this token and create another with a new Idempotency-Key.";
        let again = idempotency::json(&Self { token: None, notice: Some(notice), ..first });
        Stored { location, tag, body, replayed_body: Some(again) }
    }
}

/// A token to create.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// The app that uses the token. Unique among the team's active tokens.
    #[schema(example = "ci", min_length = 1, max_length = 60)]
    name: String,
    /// Scopes, or only `all`. Default: every read scope.
    #[schema(example = json!(["aliases:read", "aliases:write"]))]
    scopes: Option<Vec<String>>,
}

impl NewApiKey {
    fn parse(&self) -> Result<(Label, Scopes), ApiError> {
        let mut errors = FieldErrors::default();
        let label = errors.take(Label::parse(&self.name));
        let scopes = errors.take(match &self.scopes {
            None => Ok(Scopes::READ),
            Some(names) => Scopes::parse(&names.join(" ")),
        });
        errors.all(label.zip(scopes))
    }
}

/// The fields to change; others stay unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyChange {
    /// The app that uses the token. Unique among the team's active tokens.
    #[schema(example = "ci", min_length = 1, max_length = 60)]
    name: Option<String>,
}

/// The reason for revoking a token.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RevokeQuery {
    /// Stored with the token, up to 200 characters.
    #[serde(default)]
    reason: String,
}

pub async fn list(listed: Listed<ApiKey>) -> Listing<ApiKey> {
    listed
        .page(|tx, team, (), window| {
            let all = tokens::Filter::default();
            Ok((tokens::list(tx, team, &all, window)?, tokens::count(tx, team, &all)?))
        })
        .await
}

pub async fn show(one: One<ApiKey>) -> ApiResult<ApiKey> {
    one.read().await
}

pub async fn create(
    SessionCaller(person): SessionCaller,
    new: New<NewApiKey>,
) -> CreateResult<CreatedApiKey> {
    if !person.is_fresh() {
        let message = "Your password was last entered over 10 minutes ago. Create the token on the Developer page, which asks for it.";
        return Err(ApiError::forbidden(message));
    }
    let (label, scopes) = new.body.parse()?;
    let (base, context) = (new.base, new.context.clone());
    let prefix = context.app.sealer().prefix.clone();
    new.store(move |tx, actor, team| {
        let (token, plain) = tokens::mint(tx, actor, team, &label, scopes, &prefix)?;
        Ok(CreatedApiKey::stored(location::<ApiKey>(base, &token), ApiKey::of(token, &context), &plain))
    })
    .await
}

pub async fn rename(
    _: SessionCaller,
    one: One<ApiKey>,
    Json(change): Json<ApiKeyChange>,
) -> ApiResult<ApiKey> {
    let label = change.name.as_deref().map(Label::parse).transpose().map_err(Error::from)?;
    one.change(move |tx, actor, team, before| match label {
        Some(label) => tokens::rename(tx, actor, team, before.id, &label),
        None => Ok(before),
    })
    .await
}

pub async fn revoke(_: SessionCaller, one: One<ApiKey, RevokeQuery>) -> Done {
    let reason = tokens::parse_reason(&one.query.reason).map_err(Error::from)?;
    one.delete(move |tx, actor, team, token| {
        tokens::revoke(tx, actor, team, token.id, reason.as_deref()).map(drop)
    })
    .await
}
