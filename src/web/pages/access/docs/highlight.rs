//! Colors of code, as markup. The examples need five small languages; a library for all would be larger
//! than everything else on these pages.

use super::schema::escape;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Json,
    Shell,
    JavaScript,
    Python,
    /// The head of a request or response.
    Http,
    Plain,
}

impl Language {
    pub fn named(name: &str) -> Self {
        match name {
            "curl" => Self::Shell,
            "javascript" => Self::JavaScript,
            "python" => Self::Python,
            _ => Self::Json,
        }
    }

    fn keywords(self) -> &'static [&'static str] {
        match self {
            Self::Json => &["true", "false", "null"],
            Self::Shell => &["curl", "export"],
            Self::JavaScript => &["const", "await", "true", "false", "null"],
            Self::Python => &["import", "from", "as", "with", "print", "True", "False", "None"],
            Self::Http => &["HTTP"],
            Self::Plain => &[],
        }
    }

    fn quotes(self) -> &'static [char] {
        match self {
            Self::Json => &['"'],
            Self::JavaScript => &['"', '\'', '`'],
            Self::Shell | Self::Python | Self::Http => &['"', '\''],
            Self::Plain => &[],
        }
    }

    /// How a variable within a string begins.
    fn variable(self) -> Option<&'static str> {
        match self {
            Self::Shell => Some("$"),
            Self::JavaScript => Some("${"),
            Self::Python => Some("{env["),
            Self::Json | Self::Http | Self::Plain => None,
        }
    }
}

pub fn highlight(language: Language, code: &str) -> String {
    let (mut markup, mut rest) = (String::with_capacity(code.len() * 2), code);
    let mut before = '\n';
    while let Some(first) = rest.chars().next() {
        let (length, class) = token(language, rest, first, before);
        let (text, after) = rest.split_at(length);
        match class {
            "x-s" => markup += &string(language, text, first),
            class => push(&mut markup, class, text),
        }
        before = text.chars().next_back().unwrap_or(before);
        rest = after;
    }
    markup
}

/// The length of the next token and the class of its color.
fn token(language: Language, rest: &str, first: char, before: char) -> (usize, &'static str) {
    let within = |it: char| it.is_ascii_alphanumeric() || "_-".contains(it);
    let word = rest.find(|it| !within(it)).unwrap_or(rest.len());
    let starts_line = before == '\n';
    match first {
        _ if language == Language::Plain => (rest.len(), ""),
        _ if language == Language::Http && starts_line && word > 0 && rest[word..].starts_with(": ") => {
            (word, "x-k")
        }
        quote if language.quotes().contains(&quote) => {
            let length = string_end(rest, quote);
            let is_name = language == Language::Json && rest[length..].trim_start().starts_with(':');
            (length, if is_name { "x-k" } else { "x-s" })
        }
        '$' if language == Language::Shell => {
            (1 + rest[1..].find(|it: char| !within(it)).unwrap_or(rest.len() - 1), "x-v")
        }
        '-' if language == Language::Shell && before == ' ' => (word, "x-k"),
        digit if digit.is_ascii_digit() && !within(before) => {
            (rest.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(rest.len()), "x-n")
        }
        letter if within(letter) => {
            let class = if language.keywords().contains(&&rest[..word]) { "x-w" } else { "" };
            (word, class)
        }
        other => (other.len_utf8(), ""),
    }
}

/// Behind the closing quote.
fn string_end(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, it) in rest.char_indices().skip(1) {
        match it {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            it if it == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A string with the variables in it.
fn string(language: Language, text: &str, quote: char) -> String {
    let mut markup = String::new();
    let variables = language.variable().filter(|_| (language, quote) != (Language::Shell, '\''));
    let mut rest = text;
    while let Some((at, start)) = variables.and_then(|start| Some((rest.find(start)?, start))) {
        let (before, from) = rest.split_at(at);
        let end = match start {
            "$" => from[1..].find(|it: char| !it.is_ascii_alphanumeric() && it != '_').map(|end| end + 1),
            _ => from.find('}').map(|end| end + 1),
        };
        let (variable, after) = from.split_at(end.unwrap_or(from.len()));
        markup += &escape(before);
        push(&mut markup, "x-v", variable);
        rest = after;
    }
    format!("<span class=\"x-s\">{markup}{}</span>", escape(rest))
}

fn push(markup: &mut String, class: &str, text: &str) {
    match class {
        "" => *markup += &escape(text),
        class => *markup += &format!("<span class=\"{class}\">{}</span>", escape(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::pages::access::docs::description::GROUPS;

    fn plain(markup: &str) -> String {
        let text: String =
            markup.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }

    #[test]
    fn each_language_has_its_colors() {
        for (language, code, colors) in [
            (Language::Json, r#"{"a": "b\"c", "d": [1.5, null]}"#, "k\"a\" s\"b\\\"c\" k\"d\" n1.5 wnull"),
            (
                Language::Shell,
                "curl -X PUT \"$URL/a\" -d '{\"$b\": 1}'",
                "wcurl k-X s\"$URL/a\" v$URL k-d s'{\"$b\": 1}'",
            ),
            (Language::JavaScript, "const a = `b/${C}`;", "wconst s`b/${C}` v${C}"),
            (Language::Python, "print(f\"{env['A']}\", None)", "wprint s\"{env['A']}\" v{env['A']} wNone"),
            (Language::Http, "HTTP/1.1 429 Too\nRetry-After: 27", "wHTTP n1.1 n429 kRetry-After n27"),
        ] {
            let markup = highlight(language, code);
            assert_eq!(plain(&markup), code);
            let spans = markup.split("<span class=\"x-").skip(1).map(|span| {
                let (class, rest) = span.split_once("\">").expect("a class");
                // The outermost text: what follows a variable in a string is not part of its own span.
                let end = rest.find("</span>").unwrap_or(rest.len());
                format!("{class}{}", plain(&rest[..end]))
            });
            let shown = spans.collect::<Vec<_>>().join(" ");
            for color in colors.split(' ').filter(|it| !it.starts_with('s')) {
                assert!(shown.contains(color), "{color} in {shown}");
            }
        }
    }

    #[test]
    fn no_character_of_an_example_is_lost() {
        for operation in GROUPS.iter().flat_map(|group| &group.operations) {
            let code = &operation.success.example;
            assert_eq!(plain(&highlight(Language::Json, code)), *code, "{}", operation.id);
        }
        for odd in ["", "\"", "'a", "$", "\\", "é\"ü", "<b>&", "-", "`${", "{env["] {
            for language in ["curl", "javascript", "python", "json"] {
                assert_eq!(plain(&highlight(Language::named(language), odd)), odd, "{language}");
            }
        }
    }
}
