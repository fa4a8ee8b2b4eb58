//! Registers the route table with actix: wraps each operation in [`authorized`], adds HEAD to every GET, and
//! OPTIONS to every path.

use std::rc::Rc;

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::guard::{self, GuardContext};
use actix_web::http::Method;
use actix_web::http::header::ALLOW;
use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, web};

use super::authorize::authorized;
use super::dialect::Dialect;
use super::dialects::DIALECTS;
use super::route::At;
use super::{ApiError, caller};
use crate::domain::access::scopes::Need;
use crate::web::logged::RouteTemplate;

/// Registers the routes for calls with a token, which are authenticated before routing. Uses no scope, which
/// would add a layer to each call.
pub fn for_tokens(services: &mut ServiceConfig) {
    for dialect in DIALECTS {
        mount(services, dialect, false);
    }
}

/// Registers the routes for calls with a session, in a scope with the session middleware.
pub fn for_sessions(services: &mut ServiceConfig, dialect: &'static Dialect) {
    mount(services, dialect, true);
    nothing_else(services);
}

fn mount(services: &mut ServiceConfig, dialect: &'static Dialect, is_in_scope: bool) {
    for at in (dialect.routes)() {
        services.service(Mounted { at, dialect, is_in_scope });
    }
}

/// Responds 404 to unknown paths of a scope.
pub fn nothing_else(services: &mut ServiceConfig) {
    let nothing = async || Err::<String, _>(ApiError::not_found());
    services.default_service(web::to(authorized(Need::AnyToken, false, nothing)));
}

/// Whether a request was authenticated before routing.
pub fn is_authenticated(request: &GuardContext<'_>) -> bool {
    !caller::has_only_a_cookie(request.head().headers())
}

struct Mounted {
    at: At,
    dialect: &'static Dialect,
    is_in_scope: bool,
}

impl HttpServiceFactory for Mounted {
    fn register(self, config: &mut AppService) {
        let Self { at, dialect, is_in_scope } = self;
        let (whole, allow) = (format!("{}{}", dialect.base, at.path), allow(&at));
        let misread = web::PathConfig::default().error_handler(|_, _| ApiError::not_found().into());
        let mut resource = match is_in_scope {
            true => web::resource(at.path),
            false => web::resource(&*whole).guard(guard::fn_guard(is_authenticated)),
        };
        resource = resource.app_data(RouteTemplate(whole.into())).app_data(dialect).app_data(misread);
        for (method, op) in at.operations {
            // Actix's own guard would allocate a list of methods for each call.
            let takes = guard::fn_guard(move |call| takes(&method, &call.head().method));
            resource = resource.route((op.route)(op.is_tagged).guard(takes));
        }
        let other = move |method: Method| std::future::ready(other(&method, &allow));
        // Refusing a method requires no scope.
        let other = web::to(authorized(Need::AnyToken, false, other));
        resource.default_service(other).register(config);
    }
}

/// The value of `Allow`: the methods of a path.
fn allow(at: &At) -> Rc<str> {
    let mut methods: Vec<_> = at.operations.iter().map(|(method, _)| method.as_str()).collect();
    if let Some(get) = methods.iter().position(|method| *method == "GET") {
        methods.insert(get + 1, "HEAD");
    }
    methods.push("OPTIONS");
    methods.join(", ").into()
}

/// HEAD is a GET whose body the server leaves out when it sends the response.
fn takes(declared: &Method, asked: &Method) -> bool {
    asked == declared || (asked == Method::HEAD && declared == Method::GET)
}

fn other(method: &Method, allow: &str) -> Result<HttpResponse, ApiError> {
    match *method {
        Method::OPTIONS => Ok(HttpResponse::NoContent().insert_header((ALLOW, allow)).finish()),
        _ => Err(ApiError::method_not_allowed(allow)),
    }
}
