//! The words by which messages are found, the same in both engines.
//!
//! A word is a run of letters and digits in lower case. What goes to the store is plain ASCII
//! and begins with its team's own letters: the index of one team cannot be asked for another's
//! words, and nothing somebody types can be an operator of either engine.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::store::ids::TeamId;

/// The most words kept of a message, and asked for at once.
const KEPT: usize = 5000;
const ASKED: usize = 16;
/// The longest word in the store, without the team's letters.
const LONGEST: usize = 48;

/// The different words of these texts.
pub fn of_message(team: TeamId, texts: &[&str]) -> Vec<String> {
    let prefix = letters(team);
    let mut words = BTreeSet::new();
    for word in texts.iter().flat_map(|text| split(text)) {
        if words.len() == KEPT {
            break;
        }
        words.insert(format!("{prefix}{}", ascii(word)));
    }
    words.into_iter().collect()
}

/// The words somebody looks for, in their order.
pub fn of_query(team: TeamId, query: &str) -> Vec<String> {
    let prefix = letters(team);
    split(query).take(ASKED).map(|word| format!("{prefix}{}", ascii(word))).collect()
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Letters and digits stay; other characters become their bytes in hexadecimal, so that the
/// beginning of a word is still the beginning of what is kept of it.
fn ascii(word: &str) -> String {
    let mut ascii = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            ascii.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                ascii.push_str(&format!("{byte:02x}"));
            }
        }
        if ascii.len() >= LONGEST {
            ascii.truncate(LONGEST);
            break;
        }
    }
    ascii
}

/// Six letters of a team. Two teams may share them: rows are asked for by team as well.
fn letters(team: TeamId) -> String {
    let hash = Sha256::digest(team.bytes());
    hash.iter().take(6).map(|byte| char::from(b'a' + byte % 26)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(words: Vec<String>) -> Vec<String> {
        words.into_iter().map(|word| word[6..].to_owned()).collect()
    }

    #[test]
    fn words_are_letters_and_digits_of_one_team() {
        let team = TeamId::from_bytes([1; 16]);
        let words = of_message(team, &["Re: Invoice #4711", "bob@example.com, invoice"]);
        assert_eq!(plain(words.clone()), ["4711", "bob", "com", "example", "invoice", "re"]);
        let other = of_message(TeamId::from_bytes([2; 16]), &["invoice"]);
        assert!(!words.contains(&other[0]));
    }

    #[test]
    fn nothing_typed_is_an_operator() {
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
        let whole = &of_message(team, &["Grüße"])[0];
        assert!(whole.starts_with(&of_query(team, "grü")[0]));
        let long = "x".repeat(500);
        assert_eq!(of_message(team, &[&long]), of_query(team, &long));
    }
}
