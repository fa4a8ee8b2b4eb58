//! The words by which messages are found, the same in both engines.
//!
//! A word is a run of letters and digits in lower case. What goes to the store is plain ASCII
//! and begins with its team's own letters: the index of one team cannot be asked for another's
//! words, and nothing somebody types can be an operator of either engine.

use sha2::{Digest, Sha256};

use crate::store::ids::TeamId;

/// The most words read and kept of a message, and asked for at once.
const READ: usize = 50_000;
const KEPT: usize = 5000;
const ASKED: usize = 16;
/// The longest word in the store, without the team's letters.
const LONGEST: usize = 48;

/// The different words of these texts.
pub fn of_message<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let mut words: Vec<_> = texts.into_iter().flat_map(split).take(READ).map(ascii).collect();
    words.sort_unstable();
    words.dedup();
    words.truncate(KEPT);
    words
}

/// Words as the store keeps them for a team, with a space between them.
pub fn text(team: TeamId, words: &[String]) -> String {
    let prefix = letters(team);
    let length = words.iter().map(|word| prefix.len() + word.len() + 1).sum::<usize>();
    let mut text = String::with_capacity(length);
    words.iter().for_each(|word| text.extend([prefix.as_str(), word, " "]));
    text.pop();
    text
}

/// Words as a search asks for them.
fn of_team(team: TeamId, words: &[String]) -> Vec<String> {
    let prefix = letters(team);
    words.iter().map(|word| [prefix.as_str(), word].concat()).collect()
}

/// The words somebody looks for, in their order.
pub fn of_query(team: TeamId, query: &str) -> Vec<String> {
    let words: Vec<_> = split(query).take(ASKED).map(ascii).collect();
    of_team(team, &words)
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Letters and digits stay; other characters become their bytes in hexadecimal, so that the
/// beginning of a word is still the beginning of what is kept of it.
fn ascii(word: &str) -> String {
    if word.is_ascii() {
        return word[..word.len().min(LONGEST)].to_ascii_lowercase();
    }
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

    #[test]
    fn words_are_letters_and_digits_of_one_team() {
        let words = of_message(["Re: Invoice #4711", "bob@example.com, invoice"]);
        assert_eq!(words, ["4711", "bob", "com", "example", "invoice", "re"]);
        let [one, other] = [1, 2].map(|team| of_team(TeamId::from_bytes([team; 16]), &words));
        assert!(one.iter().all(|word| !other.contains(word)));
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
        let whole = &of_team(team, &of_message(["Grüße"]))[0];
        assert!(whole.starts_with(&of_query(team, "grü")[0]));
        let long = "x".repeat(500);
        assert_eq!(of_team(team, &of_message([long.as_str()])), of_query(team, &long));
    }
}
