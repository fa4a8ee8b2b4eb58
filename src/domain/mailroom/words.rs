//! The words of full-text search, the same for both engines.
//!
//! A word is a sequence of letters and digits in lower case. The store has it in ASCII with a prefix for
//! its team, so that no team can search another's words and no input contains an engine's operators.

use sha2::{Digest, Sha256};

use crate::store::ids::TeamId;

/// The maximum words that are read from a message, stored for it, and searched for.
const READ: usize = 50_000;
const KEPT: usize = 5000;
const ASKED: usize = 16;
/// The maximum length of a stored word, without the prefix.
const LONGEST: usize = 48;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    text: String,
    count: usize,
}

impl Words {
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut all = String::new();
        let mut places = Vec::new();
        for word in texts.into_iter().flat_map(split).take(READ) {
            let start = all.len();
            push_ascii(&mut all, word);
            places.push(start..all.len());
        }
        let mut words: Vec<&str> = places.into_iter().map(|place| &all[place]).collect();
        words.sort_unstable();
        words.dedup();
        words.truncate(KEPT);
        Self { count: words.len(), text: words.join(" ") }
    }

    pub fn len(&self) -> usize {
        self.text.len()
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        self.text.split(' ').take(self.count)
    }

    pub fn of_team(&self, team: TeamId) -> String {
        let prefix = team_prefix(team);
        let mut text = String::with_capacity(self.text.len() + self.count * prefix.len() + 1);
        self.iter().for_each(|word| text.extend([prefix.as_str(), word, " "]));
        text.pop();
        text
    }
}

/// Returns the words of a query in order, in their stored form.
pub fn of_query(team: TeamId, query: &str) -> Vec<String> {
    let prefix = team_prefix(team);
    let word = |word| {
        let mut text = prefix.clone();
        push_ascii(&mut text, word);
        text
    };
    split(query).take(ASKED).map(word).collect()
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Keeps letters and digits and writes other characters as hexadecimal bytes, so that the prefix of a word
/// is a prefix of its stored form.
fn push_ascii(text: &mut String, word: &str) {
    let start = text.len();
    if word.is_ascii() {
        text.push_str(&word[..word.len().min(LONGEST)]);
        text[start..].make_ascii_lowercase();
        return;
    }
    for c in word.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            text.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                text.push_str(&format!("{byte:02x}"));
            }
        }
        if text.len() - start >= LONGEST {
            text.truncate(start + LONGEST);
            break;
        }
    }
}

/// Six letters. Two teams can share them, so queries also filter by team.
fn team_prefix(team: TeamId) -> String {
    let hash = Sha256::digest(team.bytes());
    hash.iter().take(6).map(|byte| char::from(b'a' + byte % 26)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_digits_of_one_team() {
        let words = Words::of(["Re: Invoice #4711", "bob@example.com, invoice"]);
        assert_eq!(words.text, "4711 bob com example invoice re");
        let [one, other] = [1, 2].map(|team| words.of_team(TeamId::from_bytes([team; 16])));
        assert_eq!(one.split(' ').count(), 6);
        assert!(one.split(' ').all(|word| !other.contains(word)));
        assert_eq!(Words::of(["", " -- "]).of_team(TeamId::from_bytes([1; 16])), "");
    }

    #[test]
    fn search_text_contains_no_operators() {
        let team = TeamId::from_bytes([1; 16]);
        for query in ["a\" OR b*", "NEAR(a b, 2)", "a & !b | c:*", "col:a -b ^c", "'; DROP TABLE x --"] {
            for word in of_query(team, query) {
                assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{word}");
            }
        }
        assert!(of_query(team, " -- !! ").is_empty());
    }

    #[test]
    fn the_beginning_of_a_word_stays_its_beginning() {
        let team = TeamId::from_bytes([1; 16]);
        let whole = Words::of(["Grüße"]).of_team(team);
        assert!(whole.starts_with(&of_query(team, "grü")[0]));
        let long = "x".repeat(500);
        assert_eq!([Words::of([long.as_str()]).of_team(team)], of_query(team, &long)[..]);
    }
}
