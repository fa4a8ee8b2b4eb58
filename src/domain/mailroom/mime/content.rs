//! Selects the text, the HTML and the files of a message.

use super::calendar;
use super::charset::Charset;
use super::flowed::unflow;
use super::header::unfold;
use super::parameters::Parameterized;
use super::structure::{MAX_PARTS, Part};
use super::tnef;
use super::transfer::{Decoder, Encoding};
use crate::domain::characters::is_ignorable;
use crate::domain::mailroom::html_text as html;

/// The maximum sizes in bytes, and the maximum number of files. The rest is only in the raw message.
const MAX_TEXT: usize = 1 << 20;
const MAX_HTML: usize = 2 << 20;
const MAX_FILES: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The number of its part. A file within `winmail.dat` adds [`MAX_PARTS`] times its number there, from 1.
    pub index: usize,
    pub name: Option<String>,
    pub content_type: String,
    /// The number of decoded bytes.
    pub size: usize,
    pub inline: bool,
    pub content_id: Option<String>,
}

pub struct Content {
    pub text: String,
    pub html: Option<String>,
    pub files: Vec<File>,
}

/// The encoded bytes of a part, and the file within the decoded ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
    pub encoding: Encoding,
    /// The number of decoded bytes before the file.
    pub skip: usize,
    pub length: usize,
}

/// Returns the charset of the first text that names one. Raw 8-bit headers are usually in the same.
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
    Span { start, end, encoding, skip: 0, length }
}

/// Finds a file by its index.
pub fn locate(raw: &[u8], parts: &[Part<'_>], index: usize) -> Option<Span> {
    let part = parts.get(index % MAX_PARTS)?;
    let Some(number) = (index / MAX_PARTS).checked_sub(1) else { return Some(span(raw, part)) };
    let file = opened(raw, part)?.files.into_iter().nth(number)?;
    Some(Span { skip: file.place.start, length: file.place.len(), ..undecoded(raw, part) })
}

fn opened(raw: &[u8], part: &Part<'_>) -> Option<tnef::Opened> {
    let Span { start, end, encoding, .. } = undecoded(raw, part);
    tnef::open(&Decoder::whole(encoding, &raw[start..end]))
}

fn undecoded(raw: &[u8], part: &Part<'_>) -> Span {
    let (encoding, length) = part.encoding.detect(&raw[part.start..part.end]);
    Span { start: part.start, end: part.start + length, encoding, skip: 0, length: 0 }
}

pub fn read(raw: &[u8], parts: &[Part<'_>]) -> Content {
    let mut reader = Reader { raw, parts, body: charset_of(parts), uses: vec![None; parts.len()] };
    let view = reader.view(0);
    let text = match view.plain {
        Some(plain) => plain,
        None => html::to_text(view.html.as_deref().unwrap_or_default()),
    };
    let files = (0..parts.len()).filter(|index| reader.is_file(*index));
    let files = files.flat_map(|index| reader.files(index)).take(MAX_FILES).collect();
    Content { text, html: view.html, files }
}

/// The forms of a part: plain text, HTML, or both.
#[derive(Default)]
struct View {
    plain: Option<String>,
    html: Option<String>,
}

impl View {
    fn is_empty(&self) -> bool {
        self.plain.is_none() && self.html.is_none()
    }

    /// Concatenates views. If one of them has HTML, the text of the others becomes HTML too.
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
        View {
            plain: has_plain.then(|| joined(plain, MAX_TEXT)),
            html: has_html.then(|| joined(html, MAX_HTML)),
        }
    }
}

/// Joins texts up to `max` bytes. A message can be large, and each level of multiparts copies it.
fn joined(texts: Vec<String>, max: usize) -> String {
    let mut whole = String::new();
    for (number, text) in texts.iter().enumerate() {
        whole.extend([if number == 0 || whole.ends_with('\n') { "" } else { "\n" }, text]);
        if whole.len() >= max {
            whole.truncate(whole.floor_char_boundary(max));
            break;
        }
    }
    whole
}

/// The use of a text. Parts without one are files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Shown,
    /// Another form of a shown text, which only special programs display.
    Skipped,
}

struct Reader<'a, 'r> {
    raw: &'r [u8],
    parts: &'a [Part<'r>],
    body: Charset,
    uses: Vec<Option<Use>>,
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

    /// Selects the best plain text and the best HTML. The last alternative is the best (RFC 2046, section
    /// 5.1.4), but other types of text are used only if there is nothing else.
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
                self.uses[child] = Some(Use::Skipped);
            }
        }
        best
    }

    /// Shows the root part, and then other texts, unless they have a name by which the HTML can use them.
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

    /// The part that `start` names, or else the first readable one.
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

    /// Whether the text of a leaf part is shown.
    fn is_text(&self, index: usize) -> bool {
        let part = &self.parts[index];
        part.is("text") && !self.is_attachment(index) && (index == 0 || !is_data(part.kind()))
    }

    fn disposition(&self, index: usize) -> Option<Parameterized> {
        self.parts[index].header.first("Content-Disposition").map(Parameterized::of)
    }

    /// An unknown disposition means an attachment (RFC 2183, section 2.8). An unreadable one means nothing.
    fn is_attachment(&self, index: usize) -> bool {
        self.disposition(index).is_some_and(|it| !matches!(it.value.as_str(), "inline" | "form-data" | ""))
    }

    fn text(&mut self, index: usize) -> View {
        let part = &self.parts[index];
        let text = decoded_text(self.raw, part);
        self.uses[index] = Some(Use::Shown);
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

    /// Whether a leaf part is listed as a file, because its text is not shown or has a file name. The name of
    /// the first text does not count, because many programs give it one.
    fn is_file(&self, index: usize) -> bool {
        let part = &self.parts[index];
        if !part.children.is_empty() {
            return false;
        }
        match self.uses[index] {
            Some(Use::Skipped) => false,
            None => !(part.is("text") && part.start == part.end && self.name(index).is_none()),
            Some(Use::Shown) => {
                let is_first = part.parent.is_none_or(|parent| self.parts[parent].children[0] == index);
                let is_placed = self.disposition(index).is_some();
                part.kind() == "text/calendar"
                    || is_data(part.kind())
                    || (!is_first || is_placed) && self.name(index).is_some()
            }
        }
    }

    /// The part itself, or the files within `winmail.dat` if all of them can be opened.
    fn files(&self, index: usize) -> Vec<File> {
        let file = self.file(index);
        let is_tnef = matches!(file.content_type.as_str(), "application/ms-tnef" | "application/vnd.ms-tnef")
            || file.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat"));
        let opened = if is_tnef { opened(self.raw, &self.parts[index]) } else { None };
        let Some(opened) = opened else { return vec![file] };
        let keeps_container = opened.files.is_empty() || !opened.is_complete;
        let inner = opened.files.into_iter().enumerate().map(|(number, inner)| File {
            index: index + (number + 1) * MAX_PARTS,
            name: inner.name,
            content_type: inner.content_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
            size: inner.place.len(),
            inline: false,
            content_id: inner.content_id,
        });
        inner.chain(keeps_container.then_some(file)).collect()
    }

    fn file(&self, index: usize) -> File {
        let part = &self.parts[index];
        let declared = part.content_type.value.as_str();
        let content_type = match declared.contains('/') {
            true => declared.to_owned(),
            false if part.is("text") && self.uses[index].is_some() => "text/plain".to_owned(),
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

/// Types of text for programs. They are shown only if they are the whole message.
fn is_data(kind: &str) -> bool {
    matches!(kind, "text/vcard" | "text/x-vcard" | "text/directory" | "text/css")
}

fn bare_id(id: &[u8]) -> String {
    String::from_utf8_lossy(id).trim().trim_start_matches('<').trim_end_matches('>').trim().to_owned()
}

/// Decodes the text of a part, but not much more than the limit.
fn decoded_text(raw: &[u8], part: &Part<'_>) -> String {
    let Span { start, end, encoding, .. } = undecoded(raw, part);
    let is_html = part.kind() == "text/html";
    let max = if is_html { 2 * MAX_HTML } else { 2 * MAX_TEXT };
    // Quoted-printable with soft line breaks needs up to six bytes for one.
    let bytes = Decoder::whole(encoding, &raw[start..end.min(start + 6 * max)]);
    let bytes = &bytes[..bytes.len().min(max)];
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
