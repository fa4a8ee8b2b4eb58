//! Reads the repository's files for the rules, with a minimal parser for Rust.

use std::fs;
use std::path::Path;

pub struct Source {
    /// From the repository's root, with forward slashes.
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// Returns everything except comments and the contents of strings, so that a rule about names ignores
    /// prose. Line numbers stay the same.
    pub fn code(&self) -> String {
        code_only(&self.text)
    }

    /// Returns "path:line: what" for each line of `text` that matches the pattern.
    pub fn findings(&self, text: &str, pattern: &regex::Regex) -> Vec<String> {
        text.lines()
            .enumerate()
            .filter_map(|(at, line)| {
                let found = pattern.find(line)?;
                Some(format!("{}:{}: {}", self.path, at + 1, found.as_str()))
            })
            .collect()
    }
}

/// Returns all files under `folder` with `extension`. Fails if there are none, because a rule would always pass.
pub fn tree(folder: &str, extension: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    collect(root, &root.join(folder), extension, &mut found);
    assert!(!found.is_empty(), "no .{extension} file under {folder}/");
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn collect(root: &Path, folder: &Path, extension: &str, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            collect(root, &path, extension, found);
        } else if path.extension().is_some_and(|it| it == extension) {
            let name = path.strip_prefix(root).expect("below the root").to_string_lossy();
            let text = fs::read_to_string(&path).expect("a readable file");
            found.push(Source::new(&name.replace('\\', "/"), &text));
        }
    }
}

fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let hidden = hidden_length(rest, code.chars().next_back());
        if hidden == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..hidden].chars().map(|it| if it == '\n' { '\n' } else { ' ' }));
            rest = &rest[hidden..];
        }
    }
    code
}

/// Returns the length in bytes of a comment, string or character that begins here.
fn hidden_length(text: &str, before: Option<char>) -> usize {
    let in_word = before.is_some_and(|it| it.is_alphanumeric() || it == '_');
    match text.as_bytes() {
        [b'/', b'/', ..] => text.find('\n').unwrap_or(text.len()),
        [b'/', b'*', ..] => block_comment_length(text),
        [b'r', b'"' | b'#', ..] if !in_word || before == Some('b') => raw_string_length(text),
        [b'"', ..] => quoted_length(text, b'"'),
        [b'\'', b'\\', ..] => quoted_length(text, b'\''),
        [b'\'', ..] if text.chars().nth(2) == Some('\'') => quoted_length(text, b'\''),
        _ => 0,
    }
}

fn block_comment_length(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

/// Zero for `r#type`, which is a name.
fn raw_string_length(text: &str) -> usize {
    let hashes = text[1..].bytes().take_while(|it| *it == b'#').count();
    if text.as_bytes().get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let start = 2 + hashes;
    let end = format!("\"{}", "#".repeat(hashes));
    text[start..].find(&end).map_or(text.len(), |at| start + at + end.len())
}

fn quoted_length(text: &str, quote: u8) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// Returns the name, first line and length in lines of every function, including its signature but not its
/// documentation.
pub fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let name = regex::Regex::new(r"\bfn\s+(\w+)").expect("a pattern");
    name.captures_iter(code)
        .filter_map(|found| {
            let start = found.get(0).expect("the match").start();
            let length = body_end(&code[start..])?;
            let line = 1 + code[..start].matches('\n').count();
            let lines = code[start..start + length].lines().count();
            Some((found[1].to_owned(), line, lines))
        })
        .collect()
}

/// Returns where the first pair of braces closes; `None` for a signature that ends in a semicolon.
fn body_end(code: &str) -> Option<usize> {
    let (mut braces, mut brackets) = (0, 0);
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets -= 1,
            b'{' => braces += 1,
            b'}' if braces == 1 => return Some(at + 1),
            b'}' => braces -= 1,
            b';' if braces == 0 && brackets == 0 => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn comments_and_strings_are_not_code() {
    let text = concat!(
        "let a = \"diesel\"; // diesel\n",
        "/* a /* diesel */ \n diesel */ let b = r#\"diesel \" \"#;\n",
        "let c = ('{', '\\'', '\"', b'{'); let r#type: &'a str = \"\\\" diesel\";\n",
    );
    let code = Source::new("x.rs", text).code();
    assert!(!code.contains("diesel"), "{code}");
    assert!(!code.contains('{'), "{code}");
    assert!(code.contains("r#type: &'a str ="), "{code}");
    assert_eq!(code.lines().count(), text.lines().count());
}

#[test]
fn functions_are_measured_from_fn_to_brace() {
    let code = "struct A;\nfn one() {}\n\n  fn two(a: [u8; 2])\n  -> [u8; 3] {\n if a {\n }\n}\nfn none();";
    let expected = [("one".to_owned(), 2, 1), ("two".to_owned(), 4, 5)];
    assert_eq!(functions(code), expected);
}
