//! Declares a page's route: its path, its methods and their handlers.

use actix_web::dev::{AppService, Handler, HttpServiceFactory};
use actix_web::http::Method;
use actix_web::{FromRequest, Resource, Responder, guard, web};

use super::logged::RouteTemplate;
use super::paths::{Path, PathOf};

/// A path and its handlers. Actix responds 405 to other methods, rendered by
/// [`super::pages::error::render_errors`].
pub struct PageRoute {
    pub path: &'static str,
    pub methods: Vec<Method>,
    /// The query parameters that filter its list.
    pub filters: &'static [&'static str],
    resource: Resource,
}

pub fn page(path: impl Into<&'static str>) -> PageRoute {
    let path = path.into();
    let resource = web::resource(path).app_data(RouteTemplate(path.into()));
    PageRoute { path, methods: Vec::new(), filters: &[], resource }
}

impl PageRoute {
    /// Handles GET and HEAD.
    pub fn get<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.push(Method::GET);
        let route = web::route().guard(guard::Any(guard::Get()).or(guard::Head())).to(handler);
        Self { resource: self.resource.route(route), ..self }
    }

    pub fn post<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.push(Method::POST);
        Self { resource: self.resource.route(web::post().to(handler)), ..self }
    }

    pub fn filtered_by(self, filters: &'static [&'static str]) -> Self {
        Self { filters, ..self }
    }

    /// For all other methods.
    pub fn otherwise<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self { resource: self.resource.default_service(web::to(handler)), ..self }
    }
}

impl HttpServiceFactory for PageRoute {
    fn register(self, config: &mut AppService) {
        self.resource.register(config);
    }
}

impl From<Path> for &'static str {
    fn from(path: Path) -> Self {
        path.0
    }
}

impl From<PathOf> for &'static str {
    fn from(path: PathOf) -> Self {
        path.0
    }
}
