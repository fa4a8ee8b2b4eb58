//! How a route of the API is declared: its address, its methods, and what each needs of the
//! token it is called with. There is no other way, so no route is without its scope.

use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{AppService, Handler, HttpServiceFactory, ServiceRequest};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::{FromRequest, Resource, Responder, web};

use super::ApiError;
use super::passage::passage;
use crate::domain::access::scopes::Need;
use crate::web::front::RouteTemplate;

/// A route's address, `/api/v1` left out, with no method yet.
pub fn at(path: &'static str) -> At {
    let template = RouteTemplate(format!("{}{path}", super::BASE).into());
    At { path, resource: web::resource(path).app_data(template), needs: Vec::new() }
}

/// An address and what answers there, behind the passage.
pub struct At {
    pub path: &'static str,
    resource: Resource,
    pub needs: Vec<(Method, Need)>,
}

macro_rules! methods {
    ($($name:ident $method:ident),+) => {$(
        pub fn $name<F, Args>(self, need: impl Into<Need>, handler: F) -> Self
        where
            F: Handler<Args>,
            Args: FromRequest + 'static,
            F::Output: Responder + 'static,
        {
            self.on(Method::$method, need.into(), handler)
        }
    )+};
}

impl At {
    methods!(get GET, post POST, patch PATCH, delete DELETE);

    fn on<F, Args>(mut self, method: Method, need: Need, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.needs.push((method.clone(), need));
        Self { resource: self.resource.route(web::method(method).to(handler)), ..self }
    }

    /// The methods it takes, as whoever uses another is told.
    fn allow(&self) -> String {
        self.needs.iter().map(|(method, _)| method.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl HttpServiceFactory for At {
    fn register(self, config: &mut AppService) {
        let (allow, needs) = (self.allow(), Rc::new(self.needs));
        let refuse = move || std::future::ready(Err::<String, _>(ApiError::method_not_allowed(&allow)));
        let passage = move |request: ServiceRequest, next: Next<BoxBody>| {
            let need = needs.iter().find(|(method, _)| method == request.method());
            // A method that is not taken needs nothing to be told so.
            passage(request, next, need.map_or(Need::AnyToken, |(_, need)| *need))
        };
        self.resource.default_service(web::to(refuse)).wrap(from_fn(passage)).register(config);
    }
}
