//! Pages of access: the Developer page and the activity log.

pub(crate) mod activity;
pub(crate) mod api_switch;
pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod developer;
pub(crate) mod docs;
pub(crate) mod reveal;
pub(crate) mod scopes;
pub(crate) mod settings;
pub(crate) mod team_key;
pub(crate) mod token_list;
pub(crate) mod token_query;
pub(crate) mod tokens;
pub(crate) mod usage;

use crate::web::paths;
use crate::web::route::{PageRoute, page};

pub fn routes() -> Vec<PageRoute> {
    let redirect = async || actix_web::web::Redirect::to(paths::DEVELOPER.0).permanent();
    let mut routes = vec![
        page(paths::DEVELOPER).get(developer::show),
        page(paths::DEVELOPER_USAGE).get(usage::show),
        page(paths::DEVELOPER_SETTINGS).get(settings::show),
        page(paths::OLD_API_SETTINGS).get(redirect).otherwise(redirect),
        page(paths::API_SWITCH).get(api_switch::ask_off).post(api_switch::turn),
        page(paths::TOKENS).get(token_list::show).post(create::create),
        page(paths::TOKEN_NEW).get(create::ask),
        page(paths::TOKEN).get(tokens::show),
        page(paths::TOKEN_RENAME).get(change::ask_name).post(change::rename),
        page(paths::TOKEN_CAP).get(change::ask_cap).post(change::set_cap),
        page(paths::TOKEN_REVOKE).get(tokens::ask_revoke).post(tokens::revoke),
        page(paths::TEAM_KEY).post(team_key::enable),
        page(paths::TEAM_KEY_SHOW).post(team_key::show),
        page(paths::TEAM_KEY_REGENERATE).get(team_key::ask_regenerate).post(team_key::regenerate),
        page(paths::TEAM_KEY_DISABLE).get(team_key::ask_disable).post(team_key::disable),
        page(paths::ACTIVITY).get(activity::list),
        // Registered before the records, whose path would match it.
        page(paths::ACTIVITY_EXPORT).get(activity::export::download),
        page(paths::ACTIVITY_RECORD).get(activity::record::show),
    ];
    routes.extend(docs::routes());
    routes
}
