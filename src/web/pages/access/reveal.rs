//! Reveals a secret in the response to the POST that created or requested it. The response has no URL of its own,
//! so a reload or the browser's history can't show it again.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::api_switch;
use super::scopes;
use super::token_list::TokenList;
use crate::domain::access::secret::PlainToken;
use crate::domain::access::tokens::Token;
use crate::web::pages::error::PageError;
use crate::web::pages::html_with_secret;
use crate::web::pages::layout::Layout;
use crate::web::paths;
use crate::web::site::Site;
use crate::web::viewer::Viewer;

pub enum Revealed {
    /// A new token, with the list that now contains it.
    Token(Box<TokenList>),
    TeamKey,
}

#[derive(Template)]
#[template(path = "developer/reveal.html")]
struct RevealPage<'a> {
    layout: Layout,
    id: String,
    name: &'a str,
    secret: &'a str,
    permissions: String,
    scopes: Vec<String>,
    /// A command that works without editing.
    curl: String,
    api_notice: String,
    list: Option<TokenList>,
}

pub fn render(
    site: &Site,
    viewer: &Viewer,
    token: &Token,
    plain: &PlainToken,
    revealed: Revealed,
) -> Result<HttpResponse, PageError> {
    let page = RevealPage {
        layout: Layout::new(viewer, "developer"),
        id: token.id.to_string(),
        name: &token.name,
        secret: plain.reveal(),
        permissions: scopes::summary(token.scopes()),
        scopes: token.scopes().to_string().split(' ').map(str::to_owned).collect(),
        curl: curl(plain.reveal(), site.url.as_str()),
        api_notice: api_switch::refusal_notice(viewer),
        list: match revealed {
            Revealed::Token(list) => Some(*list),
            Revealed::TeamKey => None,
        },
    };
    html_with_secret(StatusCode::OK, &page)
}

fn curl(secret: &str, url: &str) -> String {
    format!("curl -H \"Authorization: Bearer {secret}\" {url}/api/v1/me")
}
