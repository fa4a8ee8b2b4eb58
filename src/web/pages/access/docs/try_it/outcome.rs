//! The response to a tried request, as the page shows it.

use actix_web::http::StatusCode;
use actix_web::web::Bytes;

use crate::domain::access::usage::Grouped;
use crate::web::pages::access::docs::highlight::{Language, highlight};
use crate::web::pages::access::docs::in_process::Answer;
use crate::web::pages::access::docs::schema::escape;

/// Bytes of a response that are shown.
const SHOWN: usize = 64 * 1024;

pub struct Outcome<'a> {
    /// Method and path.
    pub line: String,
    pub status: StatusCode,
    pub took: String,
    /// Of the body; empty if it was not read to its end.
    pub size: String,
    /// Of this hour's limit; empty if the response does not say.
    pub left: &'a str,
    pub headers: &'a [(String, String)],
    /// Markup.
    pub body: String,
    /// About the body.
    pub note: String,
}

impl<'a> Outcome<'a> {
    pub fn of(line: String, answer: &'a Answer) -> Self {
        let (body, note) = match &answer.body {
            Some(body) => display(body),
            None => (String::new(), "The response is too long to show here.".into()),
        };
        let left = answer.headers.iter().find(|(name, _)| name == "x-ratelimit-remaining");
        Self {
            line,
            status: answer.status,
            took: format!("{:.1} ms", answer.took.as_secs_f64() * 1000.0),
            size: answer.body.as_ref().map(|body| size(body.len())).unwrap_or_default(),
            left: left.map_or("", |(_, left)| left),
            headers: &answer.headers,
            body,
            note,
        }
    }

    pub fn reason(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or_default()
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// The body as people read it, and a note about it.
fn display(body: &Bytes) -> (String, String) {
    if let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) {
        let (text, note) = cut(format!("{json:#}"));
        return (highlight(Language::Json, &text), note);
    }
    match std::str::from_utf8(body) {
        Ok("") => (String::new(), "No body.".into()),
        Ok(text) => {
            let (text, note) = cut(text.to_owned());
            (escape(&text), note)
        }
        Err(_) => (String::new(), format!("{} bytes of binary data.", Grouped(body.len() as i64))),
    }
}

fn cut(text: String) -> (String, String) {
    match text.len() > SHOWN {
        true => {
            let note = format!("Showing the beginning of {} bytes.", Grouped(text.len() as i64));
            (text[..text.floor_char_boundary(SHOWN)].to_owned(), note)
        }
        false => (text, String::new()),
    }
}
