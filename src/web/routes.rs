//! Collects the routes of every area and wraps them in middleware.

use actix_web::guard;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, scope};

use super::api::openapi;
use super::pages::error::{self, PageError};
use super::pages::{self, access, csrf, health, jobs, mailroom, people, search, style};
use super::route::{PageRoute, page};
use super::site::Site;
use super::{api, assets, flash, paths, preferences, session};
use crate::app::App;

/// The maximum size of a form, in bytes.
const MAX_FORM: usize = 64 * 1024;

pub(crate) fn configure(services: &mut ServiceConfig, app: &App, site: &Site) {
    // Paths are matched in this order, and API calls are the most frequent.
    services.configure(api::for_tokens);
    for each in without_session() {
        services.service(each);
    }
    // Registered before the pages, because their scope matches all remaining paths.
    for dialect in api::DIALECTS {
        let authenticated = scope(dialect.base).guard(guard::fn_guard(api::is_authenticated));
        services.service(authenticated.configure(api::nothing_else)).service(
            scope(dialect.base)
                .configure(|services| api::for_sessions(services, dialect))
                .wrap(from_fn(api::authenticate_session))
                .wrap(session::middleware(app, site)),
        );
    }
    services.service(
        scope("")
            .configure(dashboard)
            .default_service(web::to(async || Err::<String, _>(PageError::not_found())))
            .wrap(from_fn(flash::carry))
            .wrap(from_fn(csrf::guard))
            .wrap(from_fn(error::render_errors))
            .wrap(from_fn(preferences::read))
            .wrap(session::middleware(app, site)),
    );
}

pub fn all() -> Vec<(Method, String)> {
    let pages = without_session().into_iter().chain(with_session());
    let pages =
        pages.flat_map(|each| each.methods.into_iter().map(move |method| (method, each.path.to_owned())));
    let api = api::operations().map(|(path, method, _)| (method, path));
    pages.chain(api).collect()
}

/// The paths of lists, with the parameters that filter each.
pub fn filters() -> Vec<(&'static str, &'static [&'static str])> {
    with_session().into_iter().map(|each| (each.path, each.filters)).collect()
}

fn without_session() -> Vec<PageRoute> {
    vec![
        page(paths::API_DESCRIPTION).get(openapi::show).otherwise(openapi::other),
        page(paths::ALIVE).get(health::alive),
        page(paths::READY).get(health::ready),
        page(paths::STATIC).get(assets::serve),
    ]
}

fn dashboard(services: &mut ServiceConfig) {
    services
        .app_data(
            web::FormConfig::default()
                .limit(MAX_FORM)
                .error_handler(|error, _| PageError::bad_request(error.to_string()).into()),
        )
        .app_data(
            web::QueryConfig::default()
                .error_handler(|error, _| PageError::bad_request(error.to_string()).into()),
        )
        .app_data(web::PayloadConfig::new(MAX_FORM))
        .app_data(web::PathConfig::default().error_handler(|_, _| PageError::not_found().into()));
    for each in with_session() {
        services.service(each);
    }
}

fn with_session() -> Vec<PageRoute> {
    let home = page(paths::HOME).get(pages::home::show);
    let areas = [vec![home], people::routes(), mailroom::routes(), access::routes(), jobs::routes()];
    let frame = [pages::theme::routes(), style::routes(), search::routes()];
    areas.into_iter().chain(frame).flatten().collect()
}
