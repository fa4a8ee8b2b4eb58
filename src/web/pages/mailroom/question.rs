//! A question before something goes: in the dialog for htmx, else on a page of its own.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::html;
use crate::web::pages::layout::Layout;
use crate::web::viewer::Viewer;

/// Where a question belongs, and what it is about.
pub struct About {
    pub nav: &'static str,
    pub title: String,
    /// The page it was asked on, and that page's name.
    pub back: String,
    pub from: String,
}

#[derive(Template)]
#[template(path = "mailroom/question.html")]
struct QuestionPage {
    layout: Layout,
    about: About,
    question: String,
}

pub fn ask(
    htmx: Htmx,
    viewer: &Viewer,
    status: StatusCode,
    about: About,
    question: &impl Template,
) -> Result<HttpResponse, PageError> {
    if htmx.0 {
        return html(status, question);
    }
    let layout = Layout::new(viewer, about.nav);
    let question = question.render().map_err(PageError::fault)?;
    html(status, &QuestionPage { layout, about, question })
}
