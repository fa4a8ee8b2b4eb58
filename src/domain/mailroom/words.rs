//! The words of full-text search, the same for both engines.
//!
//! A word is a sequence of letters and digits. Compatible characters are equal (NFKC), and case, accents
//! and invisible characters make no difference. Text in scripts without spaces is split into single
//! characters and pairs. Stored words are ASCII with a prefix of their team: a team can't search for
//! another's words, and a query can't contain operators of either engine.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup, Script};
use sha2::{Digest, Sha256};

use crate::domain::characters::is_ignorable;
use crate::store::ids::TeamId;

/// The version of these rules. Raise it with each change, so that stored messages are reindexed.
pub(super) const RULE: i32 = 1;

/// The maximum number of words read and stored per message.
const MAX_READ: usize = 50_000;
const MAX_STORED: usize = 5000;
pub(crate) const MAX_IN_QUERY: usize = 16;
/// Without the prefix.
const MAX_WORD_LENGTH: usize = 48;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    text: String,
    count: usize,
}

impl Words {
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut all = String::new();
        let mut places = Vec::new();
        for text in texts {
            for word in pieces(&folded(text)).take(MAX_READ - places.len()) {
                let start = all.len();
                push_ascii(&mut all, word);
                places.push(start..all.len());
            }
        }
        let mut words: Vec<&str> = places.into_iter().map(|place| &all[place]).collect();
        words.sort_unstable();
        words.dedup();
        words.truncate(MAX_STORED);
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

/// Returns the words of a query in their stored form, in order. In scripts without spaces, pairs are
/// enough: a message that contains the text contains all its pairs.
pub fn of_query(team: TeamId, query: &str) -> Vec<String> {
    let (prefix, query) = (team_prefix(team), folded(query));
    let word = |word| {
        let mut text = prefix.clone();
        push_ascii(&mut text, word);
        text
    };
    let wanted = runs(&query).flat_map(|(run, is_spaced)| match is_spaced || run.chars().nth(1).is_none() {
        true => vec![run],
        false => pairs(run).collect(),
    });
    wanted.take(MAX_IN_QUERY).map(word).collect()
}

/// Folds a text in the same way as words, for substring searches.
pub(crate) fn comparable(text: &str) -> String {
    folded(text).to_ascii_lowercase()
}

fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let folded = CaseMapper::new().fold_string(&decomposed);
    let letters: String =
        folded.chars().filter(|c| !is_accent(*c) && !is_ignorable(*c)).flat_map(plain_letter).collect();
    Cow::Owned(ComposingNormalizerBorrowed::new_nfc().normalize(&letters).into_owned())
}

/// Marks that people may omit: accents, Hebrew points and Arabic vowel signs.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// Replaces letters that Unicode doesn't decompose, but that people type without their stroke.
fn plain_letter(c: char) -> impl Iterator<Item = char> {
    let plain = match c {
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'ı' => "i",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => "",
    };
    plain.chars().chain(plain.is_empty().then_some(c))
}

/// Splits text into runs of letters and digits, with whether their script has spaces between words.
fn runs(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let words = text.split(|c: char| !is_word_character(c)).filter(|word| !word.is_empty());
    words.flat_map(|word| match word.is_ascii() {
        true => vec![(word, true)],
        false => {
            let mut runs = Vec::new();
            let mut rest = word;
            while let Some(first) = rest.chars().next() {
                let is_spaced = !is_unspaced(first);
                let end = rest.find(|c| is_unspaced(c) == is_spaced).unwrap_or(rest.len());
                runs.push((&rest[..end], is_spaced));
                rest = &rest[end..];
            }
            runs
        }
    })
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    runs(text).flat_map(|(run, is_spaced)| match is_spaced {
        true => vec![run],
        false => pairs(run).chain(run.char_indices().map(|(at, c)| &run[at..at + c.len_utf8()])).collect(),
    })
}

fn pairs(run: &str) -> impl Iterator<Item = &str> {
    let ends = run.char_indices().skip(1).map(|(at, c)| at + c.len_utf8());
    run.char_indices().zip(ends).map(|((start, _), end)| &run[start..end])
}

/// Combining marks are part of the word, as in Hindi.
fn is_word_character(c: char) -> bool {
    let is_mark = || GeneralCategoryGroup::Mark.contains(CodePointMapData::<GeneralCategory>::new().get(c));
    c.is_alphanumeric() || !c.is_ascii() && is_mark()
}

/// Scripts without spaces between words, and Hangul, whose words have many endings.
fn is_unspaced(c: char) -> bool {
    const SCRIPTS: [Script; 9] = [
        Script::Han,
        Script::Hiragana,
        Script::Katakana,
        Script::Hangul,
        Script::Bopomofo,
        Script::Thai,
        Script::Lao,
        Script::Khmer,
        Script::Myanmar,
    ];
    // The prolonged sound mark belongs to several scripts.
    !c.is_ascii() && (c == 'ー' || SCRIPTS.contains(&CodePointMapData::<Script>::new().get(c)))
}

/// Keeps letters and digits and writes other characters as hexadecimal bytes, so that the prefix of a word
/// is a prefix of its stored form.
fn push_ascii(text: &mut String, word: &str) {
    let start = text.len();
    if word.is_ascii() {
        text.push_str(&word[..word.len().min(MAX_WORD_LENGTH)]);
        text[start..].make_ascii_lowercase();
        return;
    }
    for c in word.chars() {
        if c.is_ascii_alphanumeric() {
            text.push(c.to_ascii_lowercase());
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                text.push_str(&format!("{byte:02x}"));
            }
        }
        if text.len() - start >= MAX_WORD_LENGTH {
            text.truncate(start + MAX_WORD_LENGTH);
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
    fn words_are_letters_and_digits_with_a_team_prefix() {
        let words = Words::of(["Re: Invoice #4711", "bob@example.com, invoice"]);
        assert_eq!(words.text, "4711 bob com example invoice re");
        let [one, other] = [1, 2].map(|team| words.of_team(TeamId::from_bytes([team; 16])));
        assert_eq!(one.split(' ').count(), 6);
        assert!(one.split(' ').all(|word| !other.contains(word)));
        assert_eq!(Words::of(["", " -- "]).of_team(TeamId::from_bytes([1; 16])), "");
    }

    /// Whether a message with the text is found.
    fn finds(text: &str, query: &str) -> bool {
        let team = TeamId::from_bytes([1; 16]);
        let (words, wanted) = (Words::of([text]).of_team(team), of_query(team, query));
        let (last, others) = wanted.split_last().unwrap();
        let has = |word: &String| words.split(' ').any(|each| each == word);
        others.iter().all(has) && words.split(' ').any(|each| each.starts_with(last))
    }

    #[test]
    fn words_are_found_in_any_common_spelling() {
        for (text, queries) in [
            ("Ein CAFÉ, Käse im Gewo\u{308}lbe", "cafe café CAFE\u{301} kase käse gewölbe gewolbe"),
            ("Straße Łódź Ærø İstanbul naïve", "strasse STRASSE straße lodz łódź aero istanbul naive"),
            ("Hafen\u{ad}rund\u{200b}fahrt ﬁle Ａｃｍｅ", "hafenrundfahrt file acme"),
            ("午後の渡し舟は到着しました", "午後 到着 渡し舟 舟 午後の渡"),
            ("渡轮停运，请乘巴士 A3 线", "渡轮 停运 巴士 请乘巴士 a3"),
            ("배는 아홉 시에 떠납니다", "배 아홉 떠납 납니다"),
            ("เรือออกเก้าโมง", "เรือ ออก โมง"),
            ("ﾜﾀｼ サーバー", "ワタシ サーバ"),
            ("सुबह निकलेगी يُغَادِر", "सुबह निकलेगी يغادر"),
            ("ИОСИФ Ёлка Άλφα", "иосиф елка αλφα"),
        ] {
            for query in queries.split(' ') {
                assert!(finds(text, query), "{query} in {text}");
            }
        }
        for (text, query) in [("到着しました", "着到"), ("cafe", "cave"), ("渡轮", "轮渡")] {
            assert!(!finds(text, query), "{query} in {text}");
        }
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
    fn a_prefix_of_a_word_is_a_prefix_of_its_stored_form() {
        let team = TeamId::from_bytes([1; 16]);
        let whole = Words::of(["Grüße"]).of_team(team);
        assert!(whole.starts_with(&of_query(team, "grü")[0]));
        assert_eq!(Words::of(["Grüße", "GRUSSE"]).count, 1);
        let long = "x".repeat(500);
        assert_eq!([Words::of([long.as_str()]).of_team(team)], of_query(team, &long)[..]);
    }
}
