//! The API's description, gathered from its handlers.

use utoipa::OpenApi;

use super::{api_keys, me, team};

#[derive(OpenApi)]
#[openapi(
    info(title = "Gatepost API", version = "1", description = "What a program may do for its team."),
    tags(
        (name = "Me", description = "The token a call is made with."),
        (name = "Team", description = "The team it is made for."),
        (name = "API keys", description = "The team's tokens.")
    ),
    paths(
        me::show,
        me::revoke,
        team::show,
        team::people,
        api_keys::list,
        api_keys::create,
        api_keys::rename,
        api_keys::revoke
    )
)]
pub struct Description;
