//! A secret, shown in the answer to the request that made it or asked for it: at no address,
//! so that no reload, history or second look brings it back.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::api_switch;
use super::scopes;
use super::token_list::TokenList;
use crate::domain::access::secret::PlainToken;
use crate::domain::access::tokens::Token;
use crate::web::pages::error::PageError;
use crate::web::pages::html;
use crate::web::pages::layout::Layout;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

/// What is shown.
pub enum Shown {
    /// A new token, above the list it stands in from now on.
    Token(TokenList),
    /// The team key, which can be shown again.
    TeamKey,
}

#[derive(Template)]
#[template(path = "developer/reveal.html")]
struct RevealPage<'a> {
    layout: Layout,
    id: String,
    name: &'a str,
    secret: &'a str,
    /// What it may do, in a few words and one by one.
    may: String,
    scopes: String,
    /// A first call that works unedited.
    curl: String,
    closed: String,
    list: Option<TokenList>,
}

pub fn draw(
    site: &Site,
    viewer: &Viewer,
    token: &Token,
    plain: &PlainToken,
    shown: Shown,
) -> Result<HttpResponse, PageError> {
    let page = RevealPage {
        layout: Layout::new(viewer, "developer"),
        id: token.id.to_string(),
        name: &token.name,
        secret: plain.reveal(),
        may: scopes::words(token.scopes()),
        scopes: token.scopes().to_string(),
        curl: curl(plain.reveal(), site.url.as_str()),
        closed: api_switch::closed(viewer),
        list: match shown {
            Shown::Token(list) => Some(list),
            Shown::TeamKey => None,
        },
    };
    html(StatusCode::OK, &page)
}

fn curl(secret: &str, url: &str) -> String {
    format!("curl -H \"Authorization: Bearer {secret}\" {url}/api/v1/me")
}
