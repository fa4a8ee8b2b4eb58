//! Reads header values with parameters: Content-Type and Content-Disposition (RFC 2045, section 5.1; RFC
//! 2183; RFC 2231).

use super::charset::Charset;
use super::encoded_word;
use super::header::{token, unfold};

/// The maximum bytes of a value that are read, and the maximum number of sections of one parameter.
const MAX_VALUE: usize = 64 << 10;
const MAX_SECTIONS: u16 = 1000;

#[derive(Clone, Debug, Default)]
pub struct Parameterized {
    /// The value before the parameters in lower case, without comments, quotes and spaces.
    pub value: String,
    /// Names in lower case, and undecoded values.
    parameters: Vec<(String, Vec<u8>)>,
}

impl Parameterized {
    pub fn of(value: &[u8]) -> Self {
        let value = unfold(&value[..value.len().min(MAX_VALUE)]);
        let mut scanner = Scanner { bytes: &value, at: 0 };
        let mut start = scanner.skip_to_semicolon();
        // The semicolon before a parameter is missing: `text/html charset=utf-8` or `filename=a.pdf`.
        if let Some(equals) = memchr::memchr(b'=', start).filter(|_| !start.contains(&b'(')) {
            let before = start[..equals].trim_ascii_end();
            let name = before.iter().rposition(u8::is_ascii_whitespace).map_or(0, |space| space + 1);
            (start, scanner.at) = (&start[..name], name);
        }
        let mut parameters = Vec::new();
        while let Some(parameter) = scanner.parameter() {
            parameters.push(parameter);
        }
        Self { value: token(start).to_ascii_lowercase(), parameters }
    }

    fn plain(&self, name: &str) -> Option<&[u8]> {
        self.parameters.iter().find(|(each, _)| each == name).map(|(_, value)| &value[..])
    }

    /// A parameter of one word, like a charset, without the comment after it.
    pub fn word(&self, name: &str) -> Option<String> {
        let value = self.octets(name)?.0;
        let text = String::from_utf8_lossy(&value).into_owned();
        let word = text.trim().split(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// The octets of a parameter, and its charset if it has the extended form. A plain form beside the
    /// extended one is for older programs.
    pub fn octets(&self, name: &str) -> Option<(Vec<u8>, Option<String>)> {
        if let Some(value) = self.plain(&format!("{name}*")) {
            return Some(extended(value));
        }
        self.sections(name).or_else(|| Some((self.plain(name)?.to_vec(), None)))
    }

    /// Joins all sections by their numbers. They can be written in another order.
    fn sections(&self, name: &str) -> Option<(Vec<u8>, Option<String>)> {
        let mut sections: Vec<(u16, bool, &[u8])> = Vec::new();
        for (each, value) in &self.parameters {
            let Some(number) = each.strip_prefix(name).and_then(|rest| rest.strip_prefix('*')) else {
                continue;
            };
            let (number, is_extended) = match number.strip_suffix('*') {
                Some(number) => (number, true),
                None => (number, false),
            };
            if let Some(number) = number.parse().ok().filter(|number| *number < MAX_SECTIONS) {
                sections.push((number, is_extended, value));
            }
        }
        sections.sort_by_key(|(number, ..)| *number);
        sections.dedup_by_key(|(number, ..)| *number);
        let (mut whole, mut charset) = (Vec::new(), None);
        for (place, (_, is_extended, value)) in sections.iter().enumerate() {
            match (is_extended, place) {
                (true, 0) => (whole, charset) = extended(value),
                (true, _) => whole.extend(percent_decoded(value)),
                (false, _) => whole.extend_from_slice(value),
            }
        }
        (!sections.is_empty()).then_some((whole, charset))
    }

    /// A parameter for people, like a file name. Many programs write encoded words in it.
    pub fn text(&self, name: &str, body: Charset) -> Option<String> {
        let (octets, charset) = self.octets(name)?;
        let text = match charset {
            Some(charset) => Charset::of(&charset).decode(&octets),
            None => encoded_word::text_of(&octets, body),
        };
        (!text.trim().is_empty()).then(|| text.trim().to_owned())
    }
}

/// `charset'language'octets`
fn extended(value: &[u8]) -> (Vec<u8>, Option<String>) {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(charset), Some(_), Some(octets)) => {
            (percent_decoded(octets), Some(String::from_utf8_lossy(charset).into_owned()))
        }
        _ => (percent_decoded(value), Some(String::new())),
    }
}

fn percent_decoded(value: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(value).collect()
}

struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Scanner<'b> {
    /// Returns the text before the next `;` outside comments, and skips that `;`.
    fn skip_to_semicolon(&mut self) -> &'b [u8] {
        let (start, mut depth) = (self.at, 0_usize);
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                b';' if depth == 0 => break,
                _ => {}
            }
            self.at += 1;
        }
        // An unclosed parenthesis starts no comment.
        if depth > 0
            && let Some(end) = memchr::memchr(b';', &self.bytes[start..])
        {
            self.at = start + end;
        }
        let value = &self.bytes[start..self.at];
        self.at += 1;
        value
    }

    /// Reads the next `name=value`. After a quoted value, the `;` can be missing.
    fn parameter(&mut self) -> Option<(String, Vec<u8>)> {
        loop {
            let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
            let end = rest.iter().position(|byte| matches!(byte, b'=' | b';')).unwrap_or(rest.len());
            self.at += end + 1;
            if rest.get(end) != Some(&b'=') {
                continue;
            }
            let name = token(&rest[..end]).to_ascii_lowercase();
            let value = self.value();
            if !name.is_empty() {
                return Some((name, value));
            }
        }
    }

    fn value(&mut self) -> Vec<u8> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let rest = &rest[self.at.min(self.bytes.len()) - (self.bytes.len() - rest.len())..];
        match rest {
            [b'"', quoted @ ..] => {
                let (value, length) = unquoted(quoted);
                self.at += 1 + length;
                value
            }
            _ => {
                let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
                self.at += end + 1;
                rest[..end].trim_ascii().to_vec()
            }
        }
    }
}

/// Reads a quoted text; returns it and its length. A backslash escapes only quotes and backslashes, because
/// some programs write Windows paths.
fn unquoted(bytes: &[u8]) -> (Vec<u8>, usize) {
    let (mut value, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (b'"', _) => return (value, at + 1),
            (b'\\', Some(next @ (b'"' | b'\\'))) => {
                value.push(*next);
                at += 1;
            }
            _ => value.push(*byte),
        }
        at += 1;
    }
    (value.trim_ascii_end().to_vec(), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &[u8]) -> Option<String> {
        Parameterized::of(value).text("filename", Charset::Guess)
    }

    #[test]
    fn a_value_is_read_without_comments_and_quotes() {
        for (value, kind) in [
            (&b" Text/HTML; charset=utf-8"[..], "text/html"),
            (b"text / html (why; not) ; a=b", "text/html"),
            (b"\"text/html\"", "text/html"),
            (b"text", "text"),
            (b"=?; charset", ""),
            (b"text/html charset=utf-8", "text/html"),
            (b"filename=a.pdf", ""),
            (b"", ""),
        ] {
            assert_eq!(Parameterized::of(value).value, kind);
        }
        for value in [
            "a/b; charset=utf-8 (x)",
            "a/b; CHARSET=\"utf-8\"",
            "a/b;;charset = utf-8 ;",
            "a/b; x=\"y\" charset=utf-8",
        ] {
            assert_eq!(
                Parameterized::of(value.as_bytes()).word("charset").as_deref(),
                Some("utf-8"),
                "{value}"
            );
        }
        assert_eq!(Parameterized::of(b"a/b (never; charset=utf-8").word("charset").as_deref(), Some("utf-8"));
    }

    #[test]
    fn file_names_are_read_in_all_forms() {
        for (value, name) in [
            ("a; filename=My plan (1).pdf", "My plan (1).pdf"),
            (r#"a; filename="a;\"b\"=c.pdf"; x=y"#, "a;\"b\"=c.pdf"),
            (r#"a; filename="C:\tmp\x.pdf""#, r"C:\tmp\x.pdf"),
            ("a; filename=\"open.pdf", "open.pdf"),
            ("a; filename==?utf-8?q?=C3=A4.pdf?=", "ä.pdf"),
            ("a; filename=\"=?utf-8?q?=C3?=\r\n =?utf-8?q?=A4.pdf?=\"", "ä.pdf"),
            ("a; filename=x.pdf; filename*=utf-8''%E2%82%AC.pdf", "€.pdf"),
            ("a; filename*=%e4.pdf", "ä.pdf"),
            ("a; filename*=''a%20b.pdf", "a b.pdf"),
            ("a; filename*0*=utf-8''%C3; filename*1*=%A4; filename*2=.pdf", "ä.pdf"),
            ("a; filename*1*=%E4.pdf; filename*0*=iso-8859-1'de'%FC", "üä.pdf"),
            ("a; filename*0=one; filename*2=three; filename*1=two-", "onetwo-three"),
            ("a; filename*0=\"=?utf-8?q?=C3=\"; filename*1=\"A4?=.pdf\"", "ä.pdf"),
            ("a; FileName*0=\"a\"\r\n filename*1=\"b\"", "ab"),
        ] {
            assert_eq!(text(value.as_bytes()).as_deref(), Some(name), "{value}");
        }
        assert_eq!(text(b"a; filename=\"\""), None);
        assert_eq!(text(b"a; filename=\xe4.pdf").as_deref(), Some("ä.pdf"));
    }
}
