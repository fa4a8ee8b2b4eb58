//! Asks for confirmation before a destructive action, and shows what it affects: in a dialog with htmx, or else on a
//! separate page.

use actix_web::http::StatusCode;
use askama::Template;

use super::answer::{Answer, html};
use super::error::PageError;
use super::layout::Layout;
use crate::web::htmx::Htmx;
use crate::web::viewer::Viewer;

pub struct Confirmation {
    nav: &'static str,
    /// The action, as the label of the button: "Delete contact".
    pub title: &'static str,
    /// The target of the form.
    pub action: String,
    pub team: String,
    /// "Delete bob@example.com?"
    pub heading: String,
    /// The page that the confirmation returns to, and its name.
    pub back: String,
    pub from: String,
    /// Whether the action is possible. If not, the sentences say why.
    pub is_possible: bool,
    figures: Vec<(&'static str, String)>,
    sentences: Vec<String>,
    warning: String,
}

#[derive(Template)]
#[template(path = "layout/_question.html")]
struct Dialog<'a> {
    question: &'a Confirmation,
}

#[derive(Template)]
#[template(path = "layout/question.html")]
struct QuestionPage<'a> {
    layout: Layout,
    question: &'a Confirmation,
    dialog: String,
}

impl Confirmation {
    pub fn new(viewer: &Viewer, nav: &'static str, title: &'static str, action: String) -> Self {
        Self {
            nav,
            title,
            action,
            team: viewer.team.id.to_string(),
            heading: format!("{title}?"),
            back: format!("/{nav}"),
            from: String::new(),
            is_possible: true,
            figures: Vec::new(),
            sentences: Vec::new(),
            warning: String::new(),
        }
    }

    /// Sets the subject, which has its own page. The heading is the title's verb and the subject.
    pub fn about(&mut self, what: impl Into<String>, at: String) {
        (self.from, self.back) = (what.into(), at);
        let verb = self.title.split(' ').next().unwrap_or_default();
        self.heading = format!("{verb} {}?", self.from);
    }

    /// Sets the page to return to, and the heading.
    pub fn on_page(&mut self, from: &str, heading: String) {
        (self.from, self.heading) = (from.to_owned(), heading);
    }

    pub fn explain(&mut self, sentence: impl Into<String>) {
        self.sentences.push(sentence.into());
    }

    pub fn sentences(&self) -> &[String] {
        &self.sentences
    }

    pub fn refuse(&mut self, why: impl Into<String>) {
        self.is_possible = false;
        self.explain(why);
    }

    pub fn figure(&mut self, name: &'static str, figure: impl ToString) {
        self.figures.push((name, figure.to_string()));
    }

    pub fn warn(&mut self, sentence: impl Into<String>) {
        self.warning = sentence.into();
    }

    pub fn ask(&self, htmx: Htmx, viewer: &Viewer) -> Answer {
        self.ask_in(&Dialog { question: self }, htmx, viewer, StatusCode::OK)
    }

    /// Renders `dialog`, for content other than sentences.
    pub fn ask_in(&self, dialog: &impl Template, htmx: Htmx, viewer: &Viewer, status: StatusCode) -> Answer {
        if htmx.0 {
            return html(status, dialog);
        }
        let dialog = dialog.render().map_err(PageError::fault)?;
        html(status, &QuestionPage { layout: Layout::new(viewer, self.nav), question: self, dialog })
    }
}
