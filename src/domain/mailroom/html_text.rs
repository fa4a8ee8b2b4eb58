//! Converts HTML to plain text, for reading, previews and search.

use html_escape::decode_html_entities;
use memchr::{memchr, memmem};

/// Elements that start on a new line, and elements with an empty line before and after them.
const LINES: [&str; 24] = [
    "address", "article", "aside", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form",
    "header", "hr", "li", "main", "nav", "ol", "section", "table", "tbody", "tr", "ul", "caption",
];
const PARAGRAPHS: [&str; 9] = ["p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre"];
const HIDDEN: [&str; 5] = ["script", "style", "title", "template", "noembed"];

pub fn to_text(html: &str) -> String {
    let (mut reader, mut writer) = (Reader { rest: html, has: [true; 3] }, Writer::default());
    while let Some(at) = memchr(b'<', reader.rest.as_bytes()) {
        writer.write(&reader.rest[..at]);
        reader.rest = &reader.rest[at..];
        match reader.markup() {
            Markup::Text => {
                writer.write("<");
                reader.rest = &reader.rest[1..];
            }
            Markup::Nothing => {}
            Markup::Tag { name, is_end } => {
                if !is_end && HIDDEN.contains(&name.as_str()) {
                    reader.skip_element(&name);
                }
                writer.tag(&name, is_end);
            }
        }
    }
    writer.write(reader.rest);
    writer.text
}

enum Markup {
    Text,
    /// A comment, or a declaration.
    Nothing,
    Tag {
        name: String,
        is_end: bool,
    },
}

struct Reader<'h> {
    rest: &'h str,
    /// Whether the rest may contain the end of a comment, a `"` or a `'`, so that no search fails more than
    /// once.
    has: [bool; 3],
}

impl Reader<'_> {
    /// Skips the markup at a `<`, unless the `<` is text.
    fn markup(&mut self) -> Markup {
        let bytes = self.rest.as_bytes();
        let is_end = bytes.get(1) == Some(&b'/');
        let name_at = if is_end { 2 } else { 1 };
        match bytes.get(name_at) {
            Some(b'!') if !is_end && self.rest.starts_with("<!--") => {
                self.skip_comment();
                Markup::Nothing
            }
            Some(letter) if letter.is_ascii_alphabetic() => {
                let name = self.rest[name_at..].split(|c: char| c.is_whitespace() || "/><".contains(c));
                let name = name.take(1).collect::<String>().to_ascii_lowercase();
                self.skip_tag();
                Markup::Tag { name, is_end }
            }
            Some(b'!' | b'?') if !is_end => self.skip_to_close(),
            Some(_) if is_end => self.skip_to_close(),
            _ => Markup::Text,
        }
    }

    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    fn skip_to_close(&mut self) -> Markup {
        let end = memchr(b'>', self.rest.as_bytes()).map_or(self.rest.len(), |at| at + 1);
        self.skip(end);
        Markup::Nothing
    }

    /// An unclosed comment ends at the next `>`, like other markup.
    fn skip_comment(&mut self) {
        let end = if self.has[0] { memmem::find(&self.rest.as_bytes()[2..], b"-->") } else { None };
        match end {
            Some(end) => self.skip(2 + end + 3),
            None => {
                self.has[0] = false;
                self.skip_to_close();
            }
        }
    }

    /// Skips to the `>` outside of quoted attributes.
    fn skip_tag(&mut self) {
        let bytes = self.rest.as_bytes();
        let (mut at, mut is_value) = (1, false);
        while let Some(byte) = bytes.get(at) {
            let kind = if *byte == b'"' { 1 } else { 2 };
            match byte {
                b'>' => break,
                b'"' | b'\'' if is_value && self.has[kind] => match memchr(*byte, &bytes[at + 1..]) {
                    Some(end) => at += end + 1,
                    None => self.has[kind] = false,
                },
                _ => {}
            }
            is_value = *byte == b'=' || is_value && byte.is_ascii_whitespace();
            at += 1;
        }
        self.skip(at + 1);
    }

    /// Skips to the end tag of an element with hidden content.
    fn skip_element(&mut self, name: &str) {
        let ends = |at: &usize| {
            let tag = self.rest.as_bytes().get(at + 2..at + 2 + name.len());
            tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name.as_bytes()))
        };
        let end = memmem::find_iter(self.rest.as_bytes(), b"</").find(ends);
        self.skip(end.unwrap_or(self.rest.len()));
    }
}

#[derive(Default)]
struct Writer {
    text: String,
    /// Line breaks and white space to write before the next word.
    breaks: usize,
    is_spaced: bool,
    preformatted: usize,
}

impl Writer {
    fn tag(&mut self, name: &str, is_end: bool) {
        match name {
            "br" => self.breaks = (self.breaks + 1).min(2),
            "td" | "th" => self.is_spaced = true,
            name if PARAGRAPHS.contains(&name) => self.breaks = 2,
            name if LINES.contains(&name) => self.breaks = self.breaks.max(1),
            _ => {}
        }
        if name == "pre" {
            self.preformatted =
                if is_end { self.preformatted.saturating_sub(1) } else { self.preformatted + 1 };
        }
    }

    fn write(&mut self, html: &str) {
        if html.is_empty() {
            return;
        }
        let text = decode_html_entities(html);
        if self.preformatted > 0 {
            self.separate();
            self.text.push_str(&text);
            return;
        }
        for (number, word) in text.split(char::is_whitespace).enumerate() {
            self.is_spaced |= number > 0;
            if !word.is_empty() {
                self.separate();
                self.text.push_str(word);
            }
        }
    }

    fn separate(&mut self) {
        if self.text.is_empty() {
            // Nothing comes before the first word.
        } else if self.breaks > 0 {
            self.text.push_str(&"\n\n"[..self.breaks]);
        } else if self.is_spaced {
            self.text.push(' ');
        }
        (self.breaks, self.is_spaced) = (0, false);
    }
}

pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Converts plain text to HTML.
pub fn of_text(text: &str) -> String {
    format!("<p>{}</p>", escaped(text.trim()).replace("\r\n", "\n").replace('\n', "<br>\n"))
}

/// Returns the charset in a `<meta>` element, for parts without a charset parameter.
pub fn charset_in(html: &[u8]) -> Option<String> {
    let head = html[..html.len().min(1024)].to_ascii_lowercase();
    let meta = memmem::find(&head, b"<meta")?;
    let at = meta + memmem::find(&head[meta..], b"charset=")? + "charset=".len();
    let label = head[at..].iter().skip_while(|byte| matches!(byte, b'"' | b'\'' | b' '));
    let label = label.take_while(|byte| byte.is_ascii_alphanumeric() || b"-_:.".contains(byte));
    let label: String = label.map(|byte| char::from(*byte)).collect();
    (!label.is_empty() && !label.starts_with("utf-16")).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_starts_on_a_new_line() {
        let html = "<h2>Dear reader,</h2><p>here is</p><ul><li>one</LI><li>two</li ></ul><b>and</b> more";
        assert_eq!(to_text(html), "Dear reader,\n\nhere is\n\none\ntwo\nand more");
        assert_eq!(to_text("a<br>b<br><br>c<div>d</div>e"), "a\nb\n\nc\nd\ne");
        assert_eq!(to_text("<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>"), "a b\nc");
        assert_eq!(to_text("x<pre>a\n  b</pre>y"), "x\n\na\n  b\n\ny");
    }

    #[test]
    fn only_visible_content_becomes_text() {
        for (html, text) in [
            ("<head><title>no</title><style>p > a {}</style></head>yes", "yes"),
            ("a<!-- b --><!-- > -->c", "ac"),
            ("a<!-- b > c", "a c"),
            ("<script>if (a < b) '</p>'</script >a", "a"),
            ("a &amp; b&nbsp;&nbsp;c &#x20AC; &euro; &nosuch; &", "a & b c € € &nosuch; &"),
            ("1 < 2 <3", "1 < 2 <3"),
            ("<a title=\"x>y\" b='>'>z</a>", "z"),
            ("<a title=\"x>y z", "y z"),
            ("<!DOCTYPE html><?xml?>a</ >b", "ab"),
            (" \n a \t b ", "a b"),
            ("ein<b>Wort</b>", "einWort"),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
    }

    #[test]
    fn hostile_html_takes_linear_time() {
        for piece in
            ["<!--", "<a b=\"", "<a b='", "<", "</", "<script>", "&", "&#", "<p", "<pre>", "&amp", "<a =\"'"]
        {
            to_text(&piece.repeat((2 << 20) / piece.len()));
        }
    }

    #[test]
    fn the_charset_is_read_from_meta_elements() {
        assert_eq!(charset_in(b"<html><META charset=\"KOI8-R\">").as_deref(), Some("koi8-r"));
        let http = b"<meta http-equiv=Content-Type content='text/html; charset=gb2312'>";
        assert_eq!(charset_in(http).as_deref(), Some("gb2312"));
        assert_eq!(charset_in(b"<p>charset=x"), None);
        assert_eq!(of_text("a < b\nc"), "<p>a &lt; b<br>\nc</p>");
    }
}
