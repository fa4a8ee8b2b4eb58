//! What can be chosen in the filters.

use super::words;
use crate::domain::access::activity::ActivityKind;
use crate::domain::access::tokens::Token;
use crate::domain::people::members::Member;

/// One line of a menu.
pub struct Choice {
    pub value: String,
    pub text: String,
}

/// Lines of a menu under a heading; without one they come first.
pub struct ChoiceGroup {
    pub heading: &'static str,
    pub choices: Vec<Choice>,
}

/// Kinds that are asked for together.
struct Group {
    code: &'static str,
    name: &'static str,
    kinds: &'static [ActivityKind],
}

const GROUPS: [Group; 5] = [
    Group { code: "requests", name: "API requests", kinds: ActivityKind::CALLS },
    Group {
        code: "access",
        name: "Tokens, team key and API access",
        kinds: &[
            ActivityKind::TokenCreated,
            ActivityKind::TokenRenamed,
            ActivityKind::TokenRevoked,
            ActivityKind::TokenCapChanged,
            ActivityKind::TeamKeyEnabled,
            ActivityKind::TeamKeyShown,
            ActivityKind::TeamKeyRegenerated,
            ActivityKind::TeamKeyDisabled,
            ActivityKind::ApiEnabled,
            ActivityKind::ApiDisabled,
            ActivityKind::ApiSwitchRefused,
            ActivityKind::PlanChanged,
        ],
    },
    Group {
        code: "people",
        name: "People and roles",
        kinds: &[
            ActivityKind::PersonInvited,
            ActivityKind::InvitationRevoked,
            ActivityKind::PersonJoined,
            ActivityKind::RoleChanged,
            ActivityKind::PersonRemoved,
            ActivityKind::OwnershipTransferred,
            ActivityKind::TeamFounded,
        ],
    },
    Group {
        code: "sign-ins",
        name: "Sign-ins and accounts",
        kinds: &[
            ActivityKind::SignedIn,
            ActivityKind::SignInFailed,
            ActivityKind::SignedOut,
            ActivityKind::SessionRevoked,
            ActivityKind::TeamSwitched,
            ActivityKind::PasswordChanged,
            ActivityKind::NameChanged,
        ],
    },
    Group {
        code: "mail",
        name: "Domains, aliases, contacts, messages",
        kinds: &[
            ActivityKind::DomainAdded,
            ActivityKind::DomainVerified,
            ActivityKind::DomainSuspended,
            ActivityKind::DomainRemoved,
            ActivityKind::CatchAllChanged,
            ActivityKind::AliasCreated,
            ActivityKind::AliasChanged,
            ActivityKind::AliasDeleted,
            ActivityKind::ContactCreated,
            ActivityKind::ContactChanged,
            ActivityKind::ContactDeleted,
            ActivityKind::MessageDeleted,
        ],
    },
];

/// Everything that is no API request.
const CHANGES: &str = "changes";

/// The menu of kinds: what belongs together first, then each by itself. A kind that is
/// chosen but does not exist keeps a line.
pub fn kinds(chosen: &str) -> Vec<ChoiceGroup> {
    let choice = |value: &str, text: &str| Choice { value: value.to_owned(), text: text.to_owned() };
    let mut together = vec![choice("", "Everything")];
    together.extend(GROUPS.iter().map(|group| choice(group.code, group.name)));
    together.push(choice(CHANGES, "All but requests"));
    if !chosen.is_empty() && kinds_of(chosen).is_none() {
        together.push(choice(chosen, chosen));
    }
    let single = GROUPS.iter().filter(|group| group.kinds.len() > 1).map(|group| ChoiceGroup {
        heading: group.name,
        choices: group.kinds.iter().map(|kind| choice(kind.as_str(), words::name(*kind))).collect(),
    });
    std::iter::once(ChoiceGroup { heading: "", choices: together }).chain(single).collect()
}

/// The menu of people. Somebody who is chosen but left the team keeps a line.
pub fn people(people: &[Member], chosen: &str) -> Vec<Choice> {
    let choices = people.iter().map(|person| Choice {
        value: person.user_id.to_string(),
        text: format!("{} ({})", person.name, person.email),
    });
    with_chosen("Everybody", choices.collect(), chosen, "Somebody not in the team")
}

/// The menu of tokens. One that is chosen but not listed keeps a line.
pub fn tokens(tokens: &[Token], chosen: &str) -> Vec<Choice> {
    let choices = tokens.iter().map(|token| {
        let revoked = if token.revoked_at.is_some() { ", revoked" } else { "" };
        Choice { value: token.id.to_string(), text: format!("{} ({}{revoked})", token.name, token.masked()) }
    });
    with_chosen("Any", choices.collect(), chosen, "A token not listed here")
}

fn with_chosen(all: &str, choices: Vec<Choice>, chosen: &str, unlisted: &str) -> Vec<Choice> {
    let mut menu = vec![Choice { value: String::new(), text: all.to_owned() }];
    menu.extend(choices);
    if menu.iter().all(|choice| choice.value != chosen) {
        menu.push(Choice { value: chosen.to_owned(), text: unlisted.to_owned() });
    }
    menu
}

/// The kinds a group's code or a single kind's stands for.
pub fn kinds_of(code: &str) -> Option<Vec<ActivityKind>> {
    if code == CHANGES {
        return Some(without_requests().collect());
    }
    let group = GROUPS.iter().find(|group| group.code == code).map(|group| group.kinds.to_vec());
    group.or_else(|| ActivityKind::parse(code).map(|kind| vec![kind]))
}

fn without_requests() -> impl Iterator<Item = ActivityKind> {
    ActivityKind::ALL.iter().copied().filter(|kind| !kind.is_call())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_in_one_group() {
        for kind in ActivityKind::ALL {
            let groups = GROUPS.iter().filter(|group| group.kinds.contains(kind)).count();
            assert_eq!(groups, 1, "{kind}");
        }
    }
}
