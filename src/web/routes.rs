//! Every address, and who answers it.

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, post, resource, scope};
use actix_web::{Resource, Route, guard};

use super::api::openapi;
use super::pages::access::docs::{self, try_it};
use super::pages::access::{activity, api_switch, cap, developer, team_key, token_list, tokens};
use super::pages::error::{self, PageError};
use super::pages::mailroom::inbox::{self, first_message, news};
use super::pages::mailroom::message::{self, parts};
use super::pages::mailroom::{alias, aliases, contact, contacts, domain, domains};
use super::pages::people::{account, invitations, members, sessions, setup, sign_in, team, transfer};
use super::pages::{health, see_other};
use super::request_log::RouteTemplate;
use super::{Site, api, assets, csrf, flash, session};
use crate::app::App;

/// Bytes of a form: names and passwords are short.
const FORM: usize = 64 * 1024;

pub fn configure(services: &mut ServiceConfig, app: &App, site: &Site) {
    services
        // Addresses are tried in this order, and programs call most.
        .configure(api::for_programs)
        .service(
            page("/api/v1/openapi.json")
                .route(get().to(openapi::show))
                .default_service(web::to(openapi::other)),
        )
        // Before the pages, whose scope takes every address that is left. A session is looked for
        // only where it may count.
        .service(scope("/api/v1").guard(guard::fn_guard(api::is_authenticated)).configure(api::nothing_else))
        .service(
            scope("/api/v1")
                .configure(api::for_pages)
                .wrap(from_fn(api::authenticate_session))
                .wrap(session::middleware(app, site)),
        )
        .service(page("/healthz").route(get().to(health::alive)))
        .service(page("/readyz").route(get().to(health::ready)))
        .service(page("/static/{path:.*}").route(get().to(assets::serve)))
        .service(
            scope("")
                .configure(pages)
                .default_service(web::to(async || Err::<String, _>(PageError::not_found())))
                .wrap(from_fn(flash::carry))
                .wrap(from_fn(csrf::guard))
                .wrap(from_fn(error::dress))
                .wrap(session::middleware(app, site)),
        );
}

/// The dashboard.
fn pages(services: &mut ServiceConfig) {
    services
        .app_data(
            web::FormConfig::default()
                .limit(FORM)
                .error_handler(|error, _| PageError::bad_request(error.to_string()).into()),
        )
        .app_data(
            web::QueryConfig::default()
                .error_handler(|error, _| PageError::bad_request(error.to_string()).into()),
        )
        .app_data(web::PathConfig::default().error_handler(|_, _| PageError::not_found().into()))
        .service(page("/").route(get().to(async || see_other("/inbox"))))
        .service(page("/setup").route(get().to(setup::show)).route(post().to(setup::create)))
        .service(page("/sign-in").route(get().to(sign_in::show)).route(post().to(sign_in::enter)))
        .service(page("/sign-out").route(post().to(sign_in::leave)))
        .configure(people)
        .configure(inbox)
        .configure(developer)
        .configure(aliases)
        .configure(contacts)
        .configure(domains)
        .service(page("/activity").route(get().to(activity::list)))
        .service(page("/activity/{id}").route(get().to(activity::show)));
}

/// Who is in the team, and what each can do about themselves.
fn people(services: &mut ServiceConfig) {
    services
        .service(
            page("/invitations/{secret}")
                .route(get().to(invitations::show))
                .route(post().to(invitations::accept)),
        )
        .service(page("/teams/switch").route(post().to(sessions::switch_team)))
        .service(page("/team").route(get().to(team::show)))
        .service(page("/team/invitations").route(post().to(team::invite)))
        .service(page("/team/invitations/{id}/revoke").route(post().to(team::revoke_invitation)))
        .service(
            page("/team/people/{id}/role")
                .route(get().to(members::ask_to_demote))
                .route(post().to(members::set_role)),
        )
        .service(
            page("/team/people/{id}/remove")
                .route(get().to(members::ask_to_remove))
                .route(post().to(members::remove)),
        )
        .service(page("/team/transfer").route(post().to(transfer::transfer)))
        .service(page("/account").route(get().to(account::show)))
        .service(page("/account/name").route(post().to(account::rename)))
        .service(page("/account/password").route(post().to(account::change_password)))
        .service(page("/account/sessions/revoke-others").route(post().to(sessions::revoke_others)))
        .service(page("/account/sessions/{id}/revoke").route(post().to(sessions::revoke)));
}

/// Mail that came in.
fn inbox(services: &mut ServiceConfig) {
    services
        .service(page("/inbox").route(get().to(inbox::list)))
        .service(page("/inbox/news").route(get().to(news::of_list)))
        .service(page("/inbox/unread").route(get().to(news::of_count)))
        .service(page("/inbox/alias").route(post().to(first_message::make_alias)))
        .service(page("/inbox/{id}").route(get().to(message::show)))
        .service(page("/inbox/{id}/unread").route(post().to(message::mark_unread)))
        .service(
            page("/inbox/{id}/delete").route(get().to(message::ask_delete)).route(post().to(message::delete)),
        )
        .service(page("/inbox/{id}/html").route(get().to(parts::html)))
        .service(page("/inbox/{id}/source").route(get().to(parts::source)))
        .service(page("/inbox/{id}/raw").route(get().to(parts::raw)))
        .service(page("/inbox/{id}/attachments/{attachment}").route(get().to(parts::attachment)));
}

/// The Developer page and what is done on it.
fn developer(services: &mut ServiceConfig) {
    services
        .service(page("/developer").route(get().to(developer::show)))
        .service(web::redirect("/settings/api", "/developer").permanent())
        .service(
            page("/developer/api").route(get().to(api_switch::ask_off)).route(post().to(api_switch::turn)),
        )
        .service(page("/developer/docs").route(get().to(docs::show)))
        .service(page("/developer/docs/language").route(post().to(docs::keep_language)))
        .service(page("/developer/docs/try/{id}").route(get().to(try_it::ask)).route(post().to(try_it::send)))
        .service(page("/developer/tokens").route(get().to(token_list::show)).route(post().to(tokens::create)))
        .service(page("/developer/tokens/{id}").route(get().to(tokens::show)))
        .service(page("/developer/tokens/{id}/rename").route(post().to(tokens::rename)))
        .service(page("/developer/tokens/{id}/cap").route(post().to(cap::set)))
        .service(
            page("/developer/tokens/{id}/revoke")
                .route(get().to(tokens::ask_revoke))
                .route(post().to(tokens::revoke)),
        )
        .service(page("/developer/team-key").route(post().to(team_key::enable)))
        .service(page("/developer/team-key/show").route(post().to(team_key::show)))
        .service(
            page("/developer/team-key/regenerate")
                .route(get().to(team_key::ask_regenerate))
                .route(post().to(team_key::regenerate)),
        )
        .service(
            page("/developer/team-key/disable")
                .route(get().to(team_key::ask_disable))
                .route(post().to(team_key::disable)),
        );
}

/// The addresses that receive.
fn aliases(services: &mut ServiceConfig) {
    services
        .service(page("/aliases").route(get().to(aliases::list)).route(post().to(aliases::create)))
        .service(page("/aliases/{id}").route(get().to(alias::show)))
        .service(page("/aliases/{id}/note").route(post().to(alias::note)))
        .service(page("/aliases/{id}/switch").route(post().to(alias::switch)))
        .service(
            page("/aliases/{id}/delete").route(get().to(alias::ask_delete)).route(post().to(alias::delete)),
        );
}

/// Those who write.
fn contacts(services: &mut ServiceConfig) {
    services
        .service(page("/contacts").route(get().to(contacts::list)).route(post().to(contacts::create)))
        .service(page("/contacts/{id}").route(get().to(contact::show)).route(post().to(contact::change)))
        .service(
            page("/contacts/{id}/delete")
                .route(get().to(contact::ask_delete))
                .route(post().to(contact::delete)),
        );
}

/// The team's own domains.
fn domains(services: &mut ServiceConfig) {
    services
        .service(page("/domains").route(get().to(domains::list)).route(post().to(domains::add)))
        .service(page("/domains/{id}").route(get().to(domain::show)))
        .service(page("/domains/{id}/check").route(post().to(domain::check)))
        .service(page("/domains/{id}/catch-all").route(post().to(domain::set_catch_all)))
        .service(
            page("/domains/{id}/remove").route(get().to(domain::ask_remove)).route(post().to(domain::remove)),
        );
}

/// A page's resource. To other methods than it has, actix answers which ones it has; see
/// [`error::dress`] for what becomes of that.
fn page(path: &str) -> Resource {
    resource(path).app_data(RouteTemplate(path.into()))
}

/// What is there to be read can be asked for without its body.
fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
