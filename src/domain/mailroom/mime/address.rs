//! Reads address lists in headers (RFC 5322, sections 3.4 and 4.4), and corrects common mistakes in them.

use super::charset::Charset;
use super::encoded_word;
use super::tokens::{Placed, Token, tokens};
use crate::domain::mailroom::address::{ascii_domain, canonical_local, literal};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub name: Option<String>,
    /// `local@domain` with the domain in lower case and ASCII; the text as written if it is not a valid
    /// address.
    pub address: String,
    /// The domain of a valid address.
    pub domain: Option<String>,
}

/// `body` is the charset of the message's text. Names that are not UTF-8 are decoded with it, but addresses
/// are not, so that DMARC, which reads only the header, checks the same addresses.
pub fn read(value: &[u8], body: Charset) -> Vec<Entry> {
    let mut entries = read_text(&encoded_word::raw_text(value, Charset::Guess));
    if std::str::from_utf8(value).is_err() {
        let named = read_text(&encoded_word::raw_text(value, body));
        if named.len() == entries.len() {
            entries.iter_mut().zip(named).for_each(|(entry, named)| entry.name = named.name);
        }
    }
    entries
}

pub fn read_text(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut list = List { tokens: tokens(text), at: 0 };
    // An unquoted name with a comma: `Falk, Ines <ines@x.test>`.
    let mut name_before = String::new();
    while let Some(entry) = list.next_entry() {
        match entry {
            Part::Name(name) => name_before = joined(&name_before, &name),
            Part::Entries { found, is_in_brackets } => {
                for (place, mut entry) in found.into_iter().enumerate() {
                    if place == 0 && !name_before.is_empty() {
                        let before = std::mem::take(&mut name_before);
                        match entry.name.filter(|_| is_in_brackets) {
                            Some(name) => entry.name = Some(joined(&before, &name)),
                            None => {
                                entries.push(Entry { name: None, address: before, domain: None });
                                entry.name = None;
                            }
                        }
                    }
                    entries.push(entry);
                }
            }
        }
    }
    if !name_before.is_empty() {
        entries.push(Entry { name: None, address: name_before, domain: None });
    }
    entries
}

fn joined(before: &str, name: &str) -> String {
    if before.is_empty() { name.to_owned() } else { format!("{before}, {name}") }
}

enum Part {
    /// Words without an address.
    Name(String),
    /// Usually one entry, or several if commas are missing.
    Entries { found: Vec<Entry>, is_in_brackets: bool },
}

struct List {
    tokens: Vec<Placed>,
    at: usize,
}

impl List {
    fn next_entry(&mut self) -> Option<Part> {
        loop {
            let start = self.at;
            let (mut angles, mut words, mut comment) = (Vec::new(), Vec::new(), None);
            while let Some(placed) = self.tokens.get(self.at) {
                self.at += 1;
                match &placed.token {
                    Token::Special(',' | ';') => break,
                    // The words before it name a group.
                    Token::Special(':') => words.clear(),
                    Token::Special('<') => angles.push(self.angle()),
                    Token::Special('>') => {}
                    Token::Comment(text) => {
                        comment.get_or_insert_with(|| text.clone());
                    }
                    _ => words.push(placed.clone()),
                }
            }
            if self.at == start {
                return None;
            }
            if angles.is_empty() && words.is_empty() {
                continue;
            }
            return Some(part(&words, &angles, comment));
        }
    }

    /// Reads up to `>`, or up to a comma if `>` is missing. A route can contain commas.
    fn angle(&mut self) -> Vec<Placed> {
        let mut inner: Vec<Placed> = Vec::new();
        while let Some(placed) = self.tokens.get(self.at) {
            let is_route = inner.first().is_some_and(|first| first.token == Token::Special('@'));
            match &placed.token {
                Token::Special('>') => {
                    self.at += 1;
                    break;
                }
                Token::Special(',' | ';') if !is_route => break,
                // A nested bracket, as in `<<a@x.test>>`, or an earlier one that was never closed.
                Token::Special('<') | Token::Comment(_) => {}
                _ => inner.push(placed.clone()),
            }
            self.at += 1;
        }
        inner
    }
}

fn part(words: &[Placed], angles: &[Vec<Placed>], comment: Option<String>) -> Part {
    if let Some((first, others)) = angles.split_first() {
        let name = name(words).or_else(|| comment.map(|text| encoded_word::decode(&text)));
        let entry = Entry { name, ..address(first) };
        // One name with two addresses: programs disagree about the one that counts.
        if others.iter().any(|other| address(other).address != entry.address) {
            let address =
                angles.iter().map(|each| format!("<{}>", written(each))).collect::<Vec<_>>().join(" ");
            let found = vec![Entry { address, domain: None, ..entry }];
            return Part::Entries { found, is_in_brackets: false };
        }
        return Part::Entries { found: vec![entry], is_in_brackets: true };
    }
    if !words.iter().any(|word| word.token == Token::Special('@')) {
        return Part::Name(name(words).unwrap_or_default());
    }
    let comment = comment.map(|text| encoded_word::decode(&text));
    let mut entries = Vec::new();
    let mut before: Option<String> = None;
    for group in split_at_spaces(words) {
        if group.iter().any(|word| word.token == Token::Special('@')) {
            entries.push(Entry { name: before.take(), ..address(group) });
        } else if let Some(text) = name(group) {
            before = Some(before.map_or_else(|| text.clone(), |before| format!("{before} {text}")));
        }
    }
    if let (Some(first), Some(comment)) = (entries.first_mut(), comment) {
        first.name.get_or_insert(comment);
    }
    // Words after the last address make it invalid.
    if let (Some(last), Some(rest)) = (entries.last_mut(), before) {
        last.address = format!("{} {rest}", last.address);
        last.domain = None;
    }
    Part::Entries { found: entries, is_in_brackets: false }
}

/// Splits tokens at white space, except around dots and `@`.
fn split_at_spaces(words: &[Placed]) -> Vec<&[Placed]> {
    let (mut groups, mut start) = (Vec::new(), 0);
    for at in 1..words.len() {
        if words[at].is_after_space && !joins(&words[at - 1].token, &words[at].token) {
            groups.push(&words[start..at]);
            start = at;
        }
    }
    groups.push(&words[start..]);
    groups
}

fn joins(before: &Token, after: &Token) -> bool {
    let ends = match before {
        Token::Atom(text) => text.ends_with('.'),
        token => *token == Token::Special('@'),
    };
    let begins = match after {
        Token::Atom(text) => text.starts_with('.'),
        token => *token == Token::Special('@'),
    };
    ends || begins
}

/// Reads the tokens as one address. The entry has no domain if they are not a valid one.
fn address(tokens: &[Placed]) -> Entry {
    let tokens = without_route(tokens);
    let at = tokens.iter().position(|each| each.token == Token::Special('@'));
    let valid = at.and_then(|at| Some((local(&tokens[..at])?, domain(&tokens[at + 1..])?)));
    match valid {
        Some((local, domain)) => {
            Entry { name: None, address: format!("{local}@{domain}"), domain: Some(domain) }
        }
        None => Entry { name: None, address: written(tokens), domain: None },
    }
}

/// Removes a source route: `@a,@b:c@d` means `c@d`.
fn without_route(tokens: &[Placed]) -> &[Placed] {
    let colon = tokens.iter().position(|each| each.token == Token::Special(':'));
    match (tokens.first().map(|first| &first.token), colon) {
        (Some(Token::Special('@')), Some(colon)) => &tokens[colon + 1..],
        _ => tokens,
    }
}

fn local(tokens: &[Placed]) -> Option<String> {
    let (mut local, mut before) = (String::new(), None);
    for placed in tokens {
        if let Some(before) = before.replace(&placed.token)
            && !joins(before, &placed.token)
        {
            return None;
        }
        match &placed.token {
            Token::Atom(text) => local.push_str(&decoded_local(text)),
            Token::Quoted(text) => local.push_str(text),
            _ => return None,
        }
    }
    canonical_local(&local)
}

/// Some programs encode a local part that is not ASCII, although no standard allows it.
fn decoded_local(text: &str) -> String {
    let decoded = encoded_word::decode(text);
    let is_plain =
        !decoded.chars().any(|c| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"@".contains(c));
    if is_plain { decoded } else { text.to_owned() }
}

fn domain(tokens: &[Placed]) -> Option<String> {
    if let [Placed { token: Token::Literal(text), .. }] = tokens {
        return literal(text);
    }
    let (mut domain, mut before) = (String::new(), None);
    for placed in tokens {
        if let Some(before) = before.replace(&placed.token)
            && !joins(before, &placed.token)
        {
            return None;
        }
        let Token::Atom(text) = &placed.token else { return None };
        domain.push_str(text);
    }
    ascii_domain(&domain)
}

fn name(words: &[Placed]) -> Option<String> {
    let name = encoded_word::decode(&written_with(words, |text| text.to_owned()));
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    // Some programs put a quoted name in single quotes too.
    let bare = name.trim_matches(|c| c == '\'' || c == '"').trim();
    let is_quoted = name.len() > 1 && name.starts_with('\'') && name.ends_with('\'');
    let name = if is_quoted { bare.to_owned() } else { name };
    (!name.is_empty()).then_some(name)
}

fn written(tokens: &[Placed]) -> String {
    written_with(tokens, |text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

fn written_with(tokens: &[Placed], quoted: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    for (number, placed) in tokens.iter().enumerate() {
        if number > 0 && placed.is_after_space {
            text.push(' ');
        }
        match &placed.token {
            Token::Atom(part) | Token::Literal(part) => text.push_str(part),
            Token::Quoted(part) => text.push_str(&quoted(part)),
            Token::Comment(_) => {}
            Token::Special(c) => text.push(*c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(Option<String>, String)> {
        read_text(text).into_iter().map(|entry| (entry.name, entry.address)).collect()
    }

    #[test]
    fn one_address_is_read_however_it_is_written() {
        for (text, name, address) in [
            ("a@x.test", None, "a@x.test"),
            ("Ines Falk <a@X.Test>", Some("Ines Falk"), "a@x.test"),
            ("\"Falk, Ines\" <a@x.test>", Some("Falk, Ines"), "a@x.test"),
            ("Falk, Ines <a@x.test>", Some("Falk, Ines"), "a@x.test"),
            ("a@x.test (Ines Falk)", Some("Ines Falk"), "a@x.test"),
            ("(c) a (d) @ (e) x . (f) test", Some("c"), "a@x.test"),
            ("=?utf-8?q?J=C3=B6rg?= =?utf-8?q?_M?= <a@x.test>", Some("Jörg M"), "a@x.test"),
            ("\"=?utf-8?q?J=C3=B6rg?=\" <a@x.test>", Some("Jörg"), "a@x.test"),
            ("b@y.test <a@x.test>", Some("b@y.test"), "a@x.test"),
            ("\"b@y.test\" <a@x.test>", Some("b@y.test"), "a@x.test"),
            ("<@r.test,@s.test:a@x.test>", None, "a@x.test"),
            ("Team: Ines <a@x.test>;", Some("Ines"), "a@x.test"),
            ("<<a@x.test>>", None, "a@x.test"),
            ("<a@x.test> <a@x.test>", None, "a@x.test"),
            ("Ines <a@x.test", Some("Ines"), "a@x.test"),
            ("\"Ines <a@x.test>", Some("\"Ines"), "a@x.test"),
            ("John Q. Public [x] <a@x.test>", Some("John Q. Public [x]"), "a@x.test"),
            ("Ines Falk a@x.test", Some("Ines Falk"), "a@x.test"),
            ("\"a\"@x.test", None, "a@x.test"),
            ("\"a b\"@x.test", None, "\"a b\"@x.test"),
            ("\"a\\\"b@c\"@x.test", None, "\"a\\\"b@c\"@x.test"),
            ("a@[192.0.2.1]", None, "a@[192.0.2.1]"),
            ("a@[IPv6:2001:DB8::1]", None, "a@[IPv6:2001:db8::1]"),
            ("a@bücher.example.", None, "a@xn--bcher-kva.example"),
            ("=?utf-8?q?j=C3=B6rg?=@x.test", None, "jörg@x.test"),
            ("'Ines' <a@x.test>", Some("Ines"), "a@x.test"),
        ] {
            let entries = read_text(text);
            assert_eq!(all(text), [(name.map(str::to_owned), address.to_owned())], "{text}");
            assert!(entries[0].domain.is_some(), "{text}");
        }
    }

    #[test]
    fn an_invalid_address_has_no_domain() {
        for text in [
            "root",
            "<root>",
            "<>",
            "a@",
            "@x.test",
            "a@x..test",
            "a@x.test..",
            "a b@x.test <c d@x.test>",
            "<a@x.test> <b@y.test>",
            "a@b@c.test",
            "a@granite test",
            "a@[nowhere]",
            "a@x.test Ines",
            "a@x_y test",
        ] {
            assert!(read_text(text).iter().any(|entry| entry.domain.is_none()), "{text}");
        }
        assert!(read_text("undisclosed-recipients:;").is_empty());
    }

    #[test]
    fn lists_have_all_their_addresses() {
        let addresses = |text: &str| all(text).into_iter().map(|(_, address)| address).collect::<Vec<_>>();
        assert_eq!(addresses("a@x.test, B <b@x.test>; c@x.test"), ["a@x.test", "b@x.test", "c@x.test"]);
        assert_eq!(
            addresses("One: a@x.test, b@x.test;, Two:c@x.test;"),
            ["a@x.test", "b@x.test", "c@x.test"]
        );
        assert_eq!(addresses("a@x.test b@x.test"), ["a@x.test", "b@x.test"]);
        assert_eq!(addresses("A <a@x.test, B <b@x.test>"), ["a@x.test", "b@x.test"]);
        assert_eq!(addresses("root, b@x.test"), ["root", "b@x.test"]);
    }

    #[test]
    fn hostile_lists_take_linear_time() {
        for piece in ["(", "\"", "<", "[", "@", ":", "\\", ",", "a ", "=?", "=?a?q?", "<@", "\"("] {
            read_text(&piece.repeat((64 << 10) / piece.len()));
        }
    }
}
