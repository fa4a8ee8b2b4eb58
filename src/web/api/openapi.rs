//! The API's description, gathered from its handlers.

use utoipa::OpenApi;

use super::{aliases, api_keys, contacts, domains, downloads, me, messages, team};

#[derive(OpenApi)]
#[openapi(
    info(title = "Gatepost API", version = "1", description = "What a program may do for its team."),
    tags(
        (name = "Me", description = "The token a call is made with."),
        (name = "Messages", description = "Mail that came in."),
        (name = "Domains", description = "Domains of the team's own, proved by a DNS record."),
        (name = "Aliases", description = "The team's addresses that receive mail."),
        (name = "Contacts", description = "Who writes to the team."),
        (name = "Team", description = "The team it is made for."),
        (name = "API keys", description = "The team's tokens.")
    ),
    paths(
        me::show,
        me::revoke,
        team::show,
        team::people,
        domains::list,
        domains::create,
        domains::show,
        domains::change,
        domains::delete,
        domains::check,
        messages::list,
        messages::show,
        messages::change,
        messages::delete,
        downloads::raw,
        downloads::attachment,
        aliases::list,
        aliases::create,
        aliases::show,
        aliases::change,
        aliases::delete,
        contacts::list,
        contacts::create,
        contacts::show,
        contacts::change,
        contacts::delete,
        api_keys::list,
        api_keys::show,
        api_keys::create,
        api_keys::rename,
        api_keys::revoke
    )
)]
pub struct Description;
