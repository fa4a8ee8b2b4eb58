//! Names: which count as the same, and which are refused because they look like others.

use std::collections::HashSet;

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::Script;

use super::characters::is_ignorable;
use super::{FieldError, text};
use crate::store::Tx;
use crate::store::names as rows;

pub use rows::{Name, NamedTable};

/// Parses a name of 1 to `max` characters in one line. Each of its words must be written in one of the
/// alphabets that share letter shapes.
///
/// # Errors
/// A sentence about `field`. `what` completes "Enter …": "a name".
pub fn parse(field: &'static str, what: &str, text: &str, max: usize) -> Result<String, FieldError> {
    let name = text::one_line(field, what, text, max)?;
    match name.split(is_between_words).any(mixes_alphabets) {
        true => {
            let message =
                format!("Enter {what} without mixing look-alike letters of different alphabets in one word.");
            Err(FieldError::new(field, message))
        }
        false => Ok(name),
    }
}

/// A combining mark belongs to the letter before it, and an invisible character separates nothing.
fn is_between_words(c: char) -> bool {
    !c.is_alphanumeric() && script(c) != Script::Inherited && !is_ignorable(c)
}

/// Alphabets with similar letters, like the Latin and the Cyrillic a. A word that mixes two of them can
/// look like another. Other scripts can be mixed, as in Japanese.
const ALIKE: [Script; 7] = [
    Script::Latin,
    Script::Greek,
    Script::Cyrillic,
    Script::Armenian,
    Script::Cherokee,
    Script::Coptic,
    Script::Lisu,
];

fn mixes_alphabets(word: &str) -> bool {
    let scripts: HashSet<Script> = word.chars().map(script).filter(|script| ALIKE.contains(script)).collect();
    scripts.len() > 1
}

fn script(c: char) -> Script {
    CodePointMapData::<Script>::new().get(c)
}

/// The version of [`key`]. Raise it with each change, so that stored keys are recomputed.
pub const RULE: i32 = 1;

/// Two spellings with the same key are the same name: compatible characters are equal (NFKC), and case,
/// repeated spaces and invisible characters make no difference.
pub fn key(text: &str) -> String {
    let folded = match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => folded(text),
    };
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn folded(text: &str) -> String {
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    let visible: String = nfkc.normalize(text).chars().filter(|c| !is_ignorable(*c)).collect();
    nfkc.normalize(&CaseMapper::new().fold_string(&visible)).into_owned()
}

const BATCH: i64 = 500;

pub fn tables(tx: &mut Tx<'_>) -> super::Result<Vec<NamedTable>> {
    Ok(rows::tables(tx)?)
}

pub fn after(tx: &mut Tx<'_>, table: &NamedTable, id: &[u8]) -> super::Result<Vec<Name>> {
    Ok(rows::after(tx, table, id, BATCH)?)
}

pub fn are_current(tx: &mut Tx<'_>) -> super::Result<bool> {
    Ok(rows::rule(tx)? >= RULE)
}

pub fn store_rule(tx: &mut Tx<'_>) -> super::Result<()> {
    Ok(rows::set_rule(tx, RULE)?)
}

/// Updates the key of a name.
///
/// # Errors
/// A duplicate if another row has that key, because the names were different by the old rule.
pub fn set_key(tx: &mut Tx<'_>, table: &NamedTable, name: &Name) -> super::Result<()> {
    Ok(rows::set_key(tx, table, &name.id, &key(&name.name))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_of_a_name_have_one_key() {
        for (one, other) in [
            ("  CI   deploy ", "ci deploy"),
            ("Caf\u{e9}", "CAFE\u{301}"),
            ("\u{ff21}\u{ff43}\u{ff4d}\u{ff45}", "acme"),
            ("Acme\u{3000}Two", "acme two"),
            ("Stra\u{df}e", "STRASSE"),
            ("\u{fb01}le", "File"),
            ("\u{3a3}\u{391}\u{3a3}", "\u{3c3}\u{3b1}\u{3c2}"),
            ("\u{ff76}\u{ff9e}", "\u{30ac}"),
            ("ad\u{200d}min", "admin"),
            ("ad\u{200c}min\u{fe0f}", "admin"),
            ("\u{110b}\u{1161}", "\u{c544}"),
            ("\u{2126}", "\u{3c9}"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
            assert_eq!(key(&key(one)), key(one), "{one}");
        }
        let different = ["ci", "cd", "Arsenij", "Арсений", "日本語", "日本", "العربية", "१", "1"];
        let keys: HashSet<_> = different.map(key).into_iter().collect();
        assert_eq!(keys.len(), different.len(), "{keys:?}");
    }

    #[test]
    fn names_in_every_language_are_accepted() {
        for name in [
            "Арсений",
            "日本語テスト API",
            "東京タワー2号",
            "العربية",
            "ไทย",
            "हिन्दी",
            "Ελλάδα",
            "한국어",
            "עברית",
            "iPhone用",
            "β-test",
            "Київ prod",
            "naïve café",
            "e\u{301}te\u{301}",
            "\u{b5}Torrent",
            "می\u{200c}خواهم",
            "🏴\u{200d}☠\u{fe0f}",
            "ci/cd (v2.1) – «main»",
        ] {
            assert_eq!(parse("name", "a name", name, 60).as_deref(), Ok(name));
        }
    }

    #[test]
    fn a_word_of_two_alphabets_that_look_alike_is_refused() {
        for name in [
            "\u{410}cme",
            "p\u{430}ypal prod",
            "\u{3bf}ffice",
            "deploy \u{585}ne",
            "ad\u{200d}m\u{456}n",
            "c\u{301}\u{456}",
        ] {
            let refused = parse("name", "a name", name, 60).unwrap_err().message;
            assert_eq!(
                refused, "Enter a name without mixing look-alike letters of different alphabets in one word.",
                "{name}"
            );
        }
    }
}
