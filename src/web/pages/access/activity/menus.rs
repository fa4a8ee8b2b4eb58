//! The choices of the filters.

use crate::domain::access::activity::{ActivityGroup, ActivityKind, Subject, TokenId};
use crate::domain::people::users::UserId;

pub struct Choice {
    pub value: String,
    pub text: String,
}

pub struct ChoiceGroup {
    pub heading: &'static str,
    pub choices: Vec<Choice>,
}

/// Values for everything except API requests, and for everything.
pub const CHANGES: &str = "changes";
pub const EVERYTHING: &str = "all";

/// Lists groups of changes, then each kind. Keeps a chosen kind that doesn't exist.
pub fn changes(chosen: &str) -> Vec<ChoiceGroup> {
    let of_changes = || ActivityGroup::ALL.iter().filter(|group| **group != ActivityGroup::Requests);
    let mut groups = vec![choice(CHANGES, "All changes")];
    groups.extend(of_changes().map(|group| choice(group.as_str(), group.label())));
    groups.push(choice(EVERYTHING, "Changes and requests"));
    if !chosen.is_empty() && chosen != EVERYTHING && kinds_of(chosen).is_none() {
        groups.push(choice(chosen, chosen));
    }
    let single = of_changes().map(|group| ChoiceGroup {
        heading: group.label(),
        choices: of_group(*group).map(|kind| choice(kind.as_str(), kind.label())).collect(),
    });
    std::iter::once(ChoiceGroup { heading: "", choices: groups }).chain(single).collect()
}

/// Lists common statuses. Keeps any other chosen one.
pub fn statuses(chosen: &str) -> Vec<Choice> {
    let usual = [
        ("", "Any status"),
        ("2xx", "2xx Succeeded"),
        ("4xx", "4xx Refused"),
        ("401", "401 Token not valid"),
        ("403", "403 Not allowed"),
        ("404", "404 Not found"),
        ("429", "429 Over limit"),
        ("5xx", "5xx Failed"),
    ];
    let mut menu: Vec<_> = usual.map(|(value, text)| choice(value, text)).into();
    if menu.iter().all(|each| each.value != chosen) {
        menu.push(choice(chosen, chosen));
    }
    menu
}

fn choice(value: &str, text: &str) -> Choice {
    Choice { value: value.to_owned(), text: text.to_owned() }
}

/// Keeps a chosen person who has left the team.
pub fn people(people: &[Subject], chosen: &str) -> Vec<Choice> {
    let choices = people.iter().filter_map(|person| {
        let value = UserId::from_bytes(person.id.as_slice().try_into().ok()?).to_string();
        Some(Choice { value, text: format!("{} ({})", person.name, person.detail) })
    });
    with_chosen("Everyone", choices.collect(), chosen, "Someone not on the team")
}

/// Keeps a chosen token that is not listed.
pub fn tokens(tokens: &[Subject], chosen: &str) -> Vec<Choice> {
    let choices = tokens.iter().filter_map(|token| {
        let value = TokenId::from_bytes(token.id.as_slice().try_into().ok()?).to_string();
        let revoked = if token.is_revoked { ", revoked" } else { "" };
        Some(Choice { value, text: format!("{} ({}…{revoked})", token.name, token.detail) })
    });
    with_chosen("All tokens", choices.collect(), chosen, "A token not in this list")
}

fn with_chosen(all: &str, choices: Vec<Choice>, chosen: &str, unlisted: &str) -> Vec<Choice> {
    let mut menu = vec![Choice { value: String::new(), text: all.to_owned() }];
    menu.extend(choices);
    if menu.iter().all(|choice| choice.value != chosen) {
        menu.push(Choice { value: chosen.to_owned(), text: unlisted.to_owned() });
    }
    menu
}

/// The kinds of a group, or a single kind.
pub fn kinds_of(code: &str) -> Option<Vec<ActivityKind>> {
    if code == CHANGES {
        return Some(without_requests().collect());
    }
    match ActivityGroup::parse(code) {
        Some(group) => Some(of_group(group).collect()),
        None => ActivityKind::parse(code).map(|kind| vec![kind]),
    }
}

fn of_group(group: ActivityGroup) -> impl Iterator<Item = ActivityKind> {
    ActivityKind::ALL.iter().copied().filter(move |kind| kind.group() == group)
}

fn without_requests() -> impl Iterator<Item = ActivityKind> {
    ActivityKind::ALL.iter().copied().filter(|kind| !kind.is_call())
}
