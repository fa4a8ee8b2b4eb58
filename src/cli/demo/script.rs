//! The mail of three weeks.

mod companies;
mod customers;
mod newsletters;
mod unwanted;
mod visitors;

use std::net::IpAddr;

use lettre::Message;

use super::letters::{Failure, Letter};
use crate::domain::Timestamp;

pub use unwanted::BLOCKED;

/// A letter and its number in the script, from which its Message-ID is made.
pub struct Numbered {
    pub letter: &'static Letter,
    number: usize,
    /// The letter that this one replies to.
    earlier: Option<usize>,
}

impl Numbered {
    /// The address of the sending server, in a network reserved for examples.
    pub fn ip(&self) -> IpAddr {
        let sum = self.letter.from.domain().bytes().fold(0, |sum: u8, byte| sum.wrapping_mul(31) ^ byte);
        [203, 0, 113, sum].into()
    }

    pub fn message(&self, at: Timestamp) -> Result<Message, Failure> {
        let id = |number: usize| format!("{number}.acme@{}", self.letter.from.domain());
        self.letter.message(at, &id(self.number), self.earlier.map(id).as_deref())
    }
}

/// Letters of the past, unordered.
pub fn past() -> impl Iterator<Item = Numbered> {
    all().into_iter().filter(|each| !is_live(each.letter))
}

/// Letters that arrive when the demo starts.
pub fn live() -> impl Iterator<Item = Numbered> {
    all().into_iter().filter(|each| is_live(each.letter))
}

fn is_live(letter: &Letter) -> bool {
    letter.when == (0, 0, 0)
}

fn all() -> Vec<Numbered> {
    let tables =
        [customers::LETTERS, visitors::LETTERS, companies::LETTERS, newsletters::LETTERS, unwanted::LETTERS];
    let letters: Vec<&Letter> = tables.into_iter().flatten().collect();
    let is_same =
        |one: &Letter, other: &Letter| one.from.address == other.from.address && one.subject == other.subject;
    let number = |(number, letter): (usize, &&'static Letter)| {
        let earlier = letters[..number].iter().rposition(|earlier| is_same(earlier, letter));
        Numbered { letter, number, earlier }
    };
    letters.iter().enumerate().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::calendar::When;
    use crate::domain::mailroom::parse::parse;

    #[test]
    fn letters_can_be_parsed_and_reply_only_to_earlier_ones() {
        let at = Timestamp::from_micros(1_790_000_000_000_000);
        let (mut threads, mut files) = (0, 0);
        for each in all() {
            let parsed = parse(&each.message(at).expect("a message").formatted());
            let Letter { from, subject, text, .. } = each.letter;
            assert!(parsed.subject.ends_with(subject), "{subject}");
            assert_eq!(parsed.from.expect("a sender").name.as_deref(), Some(from.name));
            assert!(
                !text.is_empty() && parsed.text.contains(text.lines().next().unwrap_or("?")),
                "{subject}"
            );
            assert_eq!(parsed.attachments.len(), usize::from(each.letter.file.is_some()), "{subject}");
            assert_eq!(parsed.in_reply_to.len(), usize::from(each.earlier.is_some()), "{subject}");
            threads += parsed.in_reply_to.len();
            files += parsed.attachments.len();
        }
        assert!(past().count() >= 40 && live().count() == 3 && threads >= 10 && files >= 7);
    }

    #[test]
    fn threads_are_in_chronological_order() {
        let letters = all();
        for (later, earlier) in letters.iter().filter_map(|each| Some((each, &letters[each.earlier?]))) {
            let (later, earlier) = (later.letter.when, earlier.letter.when);
            let on_a_day = |(days, hour, minute): When| (days > 0).then_some((hour, minute));
            let is_later = later.0 < earlier.0 || on_a_day(later) > on_a_day(earlier);
            assert!(is_later, "{earlier:?} {later:?}");
        }
    }
}
