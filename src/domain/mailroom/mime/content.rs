//! What a message shows: its text, its HTML and its files.

use super::calendar;
use super::charset::Charset;
use super::flowed::unflow;
use super::header::unfold;
use super::parameters::Parameterized;
use super::structure::Part;
use super::transfer::{Decoder, Encoding};
use crate::domain::characters::is_ignorable;
use crate::domain::mailroom::html_text as html;

/// Limits in bytes, or in number; the raw message has the rest.
const TEXT: usize = 1 << 20;
const HTML: usize = 2 << 20;
const FILES: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its place among all parts.
    pub index: usize,
    pub name: Option<String>,
    pub content_type: String,
    /// Of the bytes that are saved.
    pub size: usize,
    pub inline: bool,
    pub content_id: Option<String>,
}

pub struct Content {
    pub text: String,
    pub html: Option<String>,
    pub files: Vec<File>,
}

/// Where a part's bytes are, how they are encoded, and how many they are when decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
    pub encoding: Encoding,
    pub length: usize,
}

/// The charset of the first text that names one: raw headers are in it.
pub fn charset_of(parts: &[Part<'_>]) -> Charset {
    let mut named =
        parts.iter().filter(|part| part.is("text")).filter_map(|part| part.content_type.word("charset"));
    named.next().map_or(Charset::Guess, |label| Charset::of(&label))
}

pub fn span(raw: &[u8], part: &Part<'_>) -> Span {
    let Span { start, end, encoding, .. } = undecoded(raw, part);
    let bytes = &raw[start..end];
    let length = match encoding {
        Encoding::Plain => bytes.len(),
        _ => {
            let mut decoder = Decoder::new(encoding);
            let pieces = bytes.chunks(super::transfer::PIECE);
            let last = pieces.len().saturating_sub(1);
            pieces.enumerate().map(|(number, piece)| decoder.push(piece.to_vec(), number == last).len()).sum()
        }
    };
    Span { start, end, encoding, length }
}

fn undecoded(raw: &[u8], part: &Part<'_>) -> Span {
    let (encoding, length) = part.encoding.found_in(&raw[part.start..part.end]);
    Span { start: part.start, end: part.start + length, encoding, length: 0 }
}

pub fn read(raw: &[u8], parts: &[Part<'_>]) -> Content {
    let mut reader = Reader { raw, parts, body: charset_of(parts), shown: vec![None; parts.len()] };
    let view = reader.view(0);
    let text = match view.plain {
        Some(plain) => plain,
        None => html::to_text(view.html.as_deref().unwrap_or_default()),
    };
    let files = (0..parts.len()).filter(|index| reader.is_file(*index)).take(FILES);
    let files = files.map(|index| reader.file(index)).collect();
    Content { text, html: view.html, files }
}

/// How a part is read: in plain text, in HTML, or both.
#[derive(Default)]
struct View {
    plain: Option<String>,
    html: Option<String>,
}

impl View {
    fn is_empty(&self) -> bool {
        self.plain.is_none() && self.html.is_none()
    }

    /// One after the other. Text is part of the HTML too, if there is any.
    fn join(views: Vec<View>) -> View {
        let has_html = views.iter().any(|view| view.html.is_some());
        let has_plain = views.iter().any(|view| view.plain.is_some());
        let (mut plain, mut html) = (Vec::new(), Vec::new());
        for view in views.into_iter().filter(|view| !view.is_empty()) {
            if has_plain {
                plain.push(match (&view.plain, &view.html) {
                    (Some(plain), _) => plain.clone(),
                    (None, html) => html::to_text(html.as_deref().unwrap_or_default()),
                });
            }
            if has_html {
                html.push(view.html.unwrap_or_else(|| html::of_text(&view.plain.unwrap_or_default())));
            }
        }
        View { plain: has_plain.then(|| joined(plain, TEXT)), html: has_html.then(|| joined(html, HTML)) }
    }
}

/// No more than needed: a message can be large, and each step copies it.
fn joined(texts: Vec<String>, most: usize) -> String {
    let mut whole = String::new();
    for (number, text) in texts.iter().enumerate() {
        whole.extend([if number == 0 || whole.ends_with('\n') { "" } else { "\n" }, text]);
        if whole.len() >= most {
            whole.truncate(whole.floor_char_boundary(most));
            break;
        }
    }
    whole
}

/// What becomes of a part: it is shown, or it only stands for others that are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Shown,
    /// Another form of what is shown, for programs of one maker.
    Skipped,
}

struct Reader<'a, 'r> {
    raw: &'r [u8],
    parts: &'a [Part<'r>],
    body: Charset,
    shown: Vec<Option<Shown>>,
}

impl Reader<'_, '_> {
    fn view(&mut self, index: usize) -> View {
        let part = &self.parts[index];
        if part.children.is_empty() {
            return if self.is_text(index) { self.text(index) } else { View::default() };
        }
        match part.kind() {
            "multipart/alternative" => self.alternative(index),
            "multipart/related" => self.related(index),
            _ => View::join(part.children.clone().into_iter().map(|child| self.view(child)).collect()),
        }
    }

    /// The best form for each way of reading. The last is the best, apart from texts of other kinds.
    fn alternative(&mut self, index: usize) -> View {
        let children = self.parts[index].children.clone();
        let is_other = |child: &usize| {
            let kind = self.parts[*child].kind();
            kind.starts_with("text/") && !matches!(kind, "text/plain" | "text/html")
        };
        let (others, known): (Vec<usize>, Vec<usize>) = children.into_iter().partition(is_other);
        let mut best = View::default();
        for child in known {
            let view = self.view(child);
            let is_only_text = view.html.is_none();
            if view.plain.is_some() && (best.plain.is_none() || is_only_text) {
                best.plain = view.plain;
            }
            if view.html.is_some() {
                best.html = view.html;
            }
        }
        for child in others.into_iter().rev() {
            let is_wanted =
                best.plain.is_none() && (best.html.is_none() || self.parts[child].kind() != "text/calendar");
            if is_wanted && self.is_text(child) {
                best.plain = self.text(child).plain;
            } else if matches!(self.parts[child].kind(), "text/x-amp-html" | "text/watch-html") {
                self.shown[child] = Some(Shown::Skipped);
            }
        }
        best
    }

    /// The part that `start` names, else the first one that can be read. Other texts follow, unless
    /// they are named for the HTML to use.
    fn related(&mut self, index: usize) -> View {
        let part = &self.parts[index];
        let root = self.root_of(part);
        let mut views = Vec::new();
        views.extend(root.map(|root| self.view(root)));
        for child in part.children.clone().into_iter().filter(|child| Some(*child) != root) {
            let header = &self.parts[child].header;
            let is_named = header.first("Content-ID").or(header.first("Content-Location")).is_some();
            if !is_named || views.iter().all(View::is_empty) {
                views.push(self.view(child));
            }
        }
        View::join(views)
    }

    fn root_of(&self, part: &Part<'_>) -> Option<usize> {
        let start = part.content_type.octets("start").map(|(start, _)| bare_id(&start));
        let named = start.and_then(|start| {
            part.children.iter().find(|child| self.content_id(**child).is_some_and(|id| id == start))
        });
        let readable = || {
            part.children
                .iter()
                .find(|child| self.parts[**child].is("text") || self.parts[**child].is("multipart"))
        };
        named.or_else(readable).copied()
    }

    /// Whether a part without parts is read rather than saved.
    fn is_text(&self, index: usize) -> bool {
        let part = &self.parts[index];
        part.is("text") && !self.is_attachment(index) && (index == 0 || !is_data(part.kind()))
    }

    fn disposition(&self, index: usize) -> Option<Parameterized> {
        self.parts[index].header.first("Content-Disposition").map(Parameterized::of)
    }

    /// An unknown disposition is an attachment (RFC 2183, section 2.8); a garbled one is none.
    fn is_attachment(&self, index: usize) -> bool {
        self.disposition(index).is_some_and(|it| !matches!(it.value.as_str(), "inline" | "form-data" | ""))
    }

    fn text(&mut self, index: usize) -> View {
        let part = &self.parts[index];
        let text = decoded_text(self.raw, part);
        self.shown[index] = Some(Shown::Shown);
        let is_blank = text.chars().all(|c| c.is_whitespace() || is_ignorable(c));
        match part.kind() {
            "text/html" if is_blank => View::default(),
            "text/html" => View { html: Some(text), plain: None },
            _ if is_blank => View::default(),
            "text/calendar" => View { plain: Some(calendar::describe(&text).unwrap_or(text)), html: None },
            _ => View { plain: Some(text), html: None },
        }
    }

    fn content_id(&self, index: usize) -> Option<String> {
        let id = bare_id(&unfold(self.parts[index].header.first("Content-ID")?));
        (!id.is_empty()).then_some(id)
    }

    fn name(&self, index: usize) -> Option<String> {
        let named = self.disposition(index).and_then(|it| it.text("filename", self.body));
        named.or_else(|| self.parts[index].content_type.text("name", self.body))
    }

    /// What can be saved: all that is not shown, and what has a file name although it is. The first
    /// text often has a name that only its sender's program needs.
    fn is_file(&self, index: usize) -> bool {
        let part = &self.parts[index];
        if !part.children.is_empty() {
            return false;
        }
        match self.shown[index] {
            Some(Shown::Skipped) => false,
            None => !(part.is("text") && part.start == part.end && self.name(index).is_none()),
            Some(Shown::Shown) => {
                let is_first = part.parent.is_none_or(|parent| self.parts[parent].children[0] == index);
                let is_placed = self.disposition(index).is_some();
                part.kind() == "text/calendar"
                    || is_data(part.kind())
                    || (!is_first || is_placed) && self.name(index).is_some()
            }
        }
    }

    fn file(&self, index: usize) -> File {
        let part = &self.parts[index];
        let declared = part.content_type.value.as_str();
        let content_type = match declared.contains('/') {
            true => declared.to_owned(),
            false if part.is("text") && self.shown[index].is_some() => "text/plain".to_owned(),
            false => "application/octet-stream".to_owned(),
        };
        File {
            index,
            name: self.name(index),
            content_type,
            size: span(self.raw, part).length,
            inline: self.disposition(index).is_some_and(|it| it.value == "inline"),
            content_id: self.content_id(index),
        }
    }
}

/// Texts for programs, which are only read if there is nothing else.
fn is_data(kind: &str) -> bool {
    matches!(kind, "text/vcard" | "text/x-vcard" | "text/directory" | "text/css")
}

fn bare_id(id: &[u8]) -> String {
    String::from_utf8_lossy(id).trim().trim_start_matches('<').trim_end_matches('>').trim().to_owned()
}

/// Decoded no further than is kept.
fn decoded_text(raw: &[u8], part: &Part<'_>) -> String {
    let Span { start, end, encoding, .. } = undecoded(raw, part);
    let is_html = part.kind() == "text/html";
    let most = if is_html { 2 * HTML } else { 2 * TEXT };
    // Each encoding takes at most six bytes for one, as QUOTED-PRINTABLE with soft breaks does.
    let bytes = Decoder::whole(encoding, &raw[start..end.min(start + 6 * most)]);
    let bytes = &bytes[..bytes.len().min(most)];
    let label = part.content_type.word("charset");
    let label = label.or_else(|| if is_html { html::charset_in(bytes) } else { None });
    let text = label.map_or(Charset::Guess, |label| Charset::of(&label)).decode(bytes);
    match part.content_type.word("format") {
        Some(format) if !is_html && format.eq_ignore_ascii_case("flowed") => {
            let del_sp = part.content_type.word("delsp").is_some_and(|it| it.eq_ignore_ascii_case("yes"));
            unflow(&text, del_sp)
        }
        _ => text,
    }
}
