//! Asks before something is lost, and says in numbers what will happen: in a dialog for htmx,
//! else on a page of its own.

use actix_web::http::StatusCode;
use askama::Template;

use super::answer::{Answer, html};
use super::error::PageError;
use super::layout::Layout;
use crate::web::htmx::Htmx;
use crate::web::viewer::Viewer;

pub struct Question {
    nav: &'static str,
    /// What will be done, as the button says it: "Delete contact".
    pub title: &'static str,
    /// Where the answer is sent.
    pub action: String,
    pub team: String,
    /// What it is done to, and the page it is asked on.
    pub about: String,
    pub back: String,
    /// Whether there is a choice; else the sentences say why not.
    pub is_possible: bool,
    figures: Vec<(&'static str, String)>,
    sentences: Vec<String>,
    warning: String,
}

#[derive(Template)]
#[template(path = "layout/_question.html")]
struct Dialog<'a> {
    question: &'a Question,
}

#[derive(Template)]
#[template(path = "layout/question.html")]
struct QuestionPage<'a> {
    layout: Layout,
    question: &'a Question,
    dialog: String,
}

impl Question {
    pub fn new(viewer: &Viewer, nav: &'static str, title: &'static str, action: String) -> Self {
        Self {
            nav,
            title,
            action,
            team: viewer.team.id.to_string(),
            about: String::new(),
            back: format!("/{nav}"),
            is_possible: true,
            figures: Vec::new(),
            sentences: Vec::new(),
            warning: String::new(),
        }
    }

    /// On a page of several things, whose name is `from`; its template has a form of its own.
    pub fn on_page(viewer: &Viewer, nav: &'static str, title: &'static str, from: &str) -> Self {
        Self { about: from.to_owned(), ..Self::new(viewer, nav, title, String::new()) }
    }

    pub fn about(&mut self, what: impl Into<String>, at: String) {
        (self.about, self.back) = (what.into(), at);
    }

    pub fn says(&mut self, sentence: impl Into<String>) {
        self.sentences.push(sentence.into());
    }

    pub fn cannot(&mut self, why: impl Into<String>) {
        self.is_possible = false;
        self.says(why);
    }

    pub fn figure(&mut self, name: &'static str, figure: impl ToString) {
        self.figures.push((name, figure.to_string()));
    }

    pub fn warns(&mut self, sentence: impl Into<String>) {
        self.warning = sentence.into();
    }

    /// The verb and what it is done to: "Delete bob@example.com?".
    pub fn heading(&self) -> String {
        let verb = self.title.split(' ').next().unwrap_or_default();
        format!("{verb} {}?", self.about)
    }

    pub fn ask(&self, htmx: Htmx, viewer: &Viewer) -> Answer {
        self.ask_in(&Dialog { question: self }, htmx, viewer, StatusCode::OK)
    }

    /// The same in a template of its own, which has more than sentences.
    pub fn ask_in(&self, dialog: &impl Template, htmx: Htmx, viewer: &Viewer, status: StatusCode) -> Answer {
        if htmx.0 {
            return html(status, dialog);
        }
        let dialog = dialog.render().map_err(PageError::fault)?;
        html(status, &QuestionPage { layout: Layout::new(viewer, self.nav), question: self, dialog })
    }
}
