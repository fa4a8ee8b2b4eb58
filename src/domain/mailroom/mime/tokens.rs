//! Splits address lists into tokens (RFC 5322, section 3.2).

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// Dots, and all characters except white space and the specials of RFC 5322.
    Atom(String),
    Quoted(String),
    /// With its brackets.
    Literal(String),
    Comment(String),
    Special(char),
}

#[derive(Clone, Debug)]
pub struct Placed {
    pub token: Token,
    pub is_after_space: bool,
}

pub fn tokens(text: &str) -> Vec<Placed> {
    let mut scanner = Scanner { rest: text, closes: [true; 2] };
    let mut tokens = Vec::new();
    loop {
        let trimmed = scanner.rest.trim_start();
        let is_after_space = trimmed.len() < scanner.rest.len();
        scanner.rest = trimmed;
        match scanner.token() {
            Some(token) => tokens.push(Placed { token, is_after_space }),
            None => return tokens,
        }
    }
}

struct Scanner<'t> {
    rest: &'t str,
    /// Whether a further quote and a further comment can be closed. If not, its first character is ordinary
    /// text.
    closes: [bool; 2],
}

impl Scanner<'_> {
    fn token(&mut self) -> Option<Token> {
        let first = self.rest.chars().next()?;
        let enclosed = match first {
            '"' => self.enclosed(0, quoted).map(Token::Quoted),
            '(' => self.enclosed(1, comment).map(Token::Comment),
            '[' => self.literal(),
            _ => None,
        };
        if enclosed.is_some() {
            return enclosed;
        }
        if "<>@,;:".contains(first) {
            self.rest = &self.rest[1..];
            return Some(Token::Special(first));
        }
        let ends = |c: char| c.is_whitespace() || "()<>[]@,;:\"".contains(c);
        let length =
            self.rest[first.len_utf8()..].find(ends).map_or(self.rest.len(), |at| at + first.len_utf8());
        let (atom, rest) = self.rest.split_at(length);
        self.rest = rest;
        Some(Token::Atom(atom.to_owned()))
    }

    fn literal(&mut self) -> Option<Token> {
        let end = 1 + self.rest[1..].find([']', '[', '<', '@', ','])?;
        let (literal, rest) = self.rest.split_at(end + 1);
        literal.ends_with(']').then(|| {
            self.rest = rest;
            Token::Literal(literal.to_owned())
        })
    }

    fn enclosed(&mut self, kind: usize, read: fn(&str) -> Option<(String, usize)>) -> Option<String> {
        let found = if self.closes[kind] { read(self.rest) } else { None };
        match found {
            Some((text, length)) => {
                self.rest = &self.rest[length..];
                Some(text)
            }
            None => {
                self.closes[kind] = false;
                None
            }
        }
    }
}

fn quoted(text: &str) -> Option<(String, usize)> {
    let (mut content, mut is_escaped) = (String::new(), false);
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => {
                content.push(c);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            '"' => return Some((content, at + 1)),
            _ => content.push(c),
        }
    }
    None
}

fn comment(text: &str) -> Option<(String, usize)> {
    let (mut content, mut depth, mut is_escaped) = (String::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => {
                is_escaped = true;
                continue;
            }
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((content[1..].trim().to_owned(), at + 1));
        }
        content.push(c);
    }
    None
}
