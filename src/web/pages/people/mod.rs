//! Setup, sign-in, the team and the account.

pub(crate) mod account;
pub(crate) mod agent;
pub(crate) mod deleted_teams;
pub(crate) mod export;
pub(crate) mod invitations;
pub(crate) mod invite;
mod left_behind;
pub(crate) mod members;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod sign_in;
pub(crate) mod team;
pub(crate) mod transfer;

use crate::web::paths;
use crate::web::route::{PageRoute, page};

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::SETUP).get(setup::show).post(setup::create),
        page(paths::SIGN_IN).get(sign_in::show).post(sign_in::sign_in),
        page(paths::SIGN_OUT).post(sign_in::sign_out),
        page(paths::INVITATION).get(invitations::show).post(invitations::accept),
        page(paths::TEAM_SWITCH).post(sessions::switch_team),
        page(paths::TEAM).get(team::show),
        page(paths::TEAM_INVITATIONS).get(invite::ask).post(invite::invite),
        page(paths::TEAM_INVITATION_REVOKE).post(invite::revoke),
        page(paths::TEAM_PERSON_ROLE).get(members::ask_to_demote).post(members::set_role),
        page(paths::TEAM_PERSON_REMOVE).get(members::ask_to_remove).post(members::remove),
        page(paths::TEAM_TRANSFER).get(transfer::ask).post(transfer::transfer),
        page(paths::SETTINGS).get(settings::show),
        page(paths::TEAM_RENAME).post(settings::rename),
        page(paths::TEAM_EXPORT).post(export::export),
        page(paths::TEAM_DELETE).get(deleted_teams::ask).post(deleted_teams::delete),
        page(paths::ACCOUNT).get(account::show),
        page(paths::ACCOUNT_NAME).post(account::rename),
        page(paths::SINGLE_KEYS).post(account::switch_single_keys),
        page(paths::ACCOUNT_PASSWORD).post(account::change_password),
        page(paths::SESSIONS_REVOKE_OTHERS).post(sessions::revoke_others),
        page(paths::SESSION_REVOKE).post(sessions::revoke),
    ]
}
