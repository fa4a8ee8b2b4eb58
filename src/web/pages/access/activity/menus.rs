//! The choices of the filters.

use super::sentences;
use crate::domain::access::activity::ActivityKind;
use crate::domain::access::tokens::Token;
use crate::domain::people::members::Member;

pub struct Choice {
    pub value: String,
    pub text: String,
}

pub struct ChoiceGroup {
    pub heading: &'static str,
    pub choices: Vec<Choice>,
}

/// Kinds that one choice stands for.
struct Group {
    code: &'static str,
    name: &'static str,
    kinds: &'static [ActivityKind],
}

const GROUPS: [Group; 6] = [
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
    Group {
        code: "jobs",
        name: "Background jobs",
        kinds: &[ActivityKind::JobRetried, ActivityKind::JobDropped],
    },
];

/// The code of everything except API requests.
const CHANGES: &str = "changes";

/// Groups first, then each kind. A chosen kind that does not exist stays in the menu.
pub fn kinds(chosen: &str) -> Vec<ChoiceGroup> {
    let choice = |value: &str, text: &str| Choice { value: value.to_owned(), text: text.to_owned() };
    let mut groups = vec![choice("", "Everything")];
    groups.extend(GROUPS.iter().map(|group| choice(group.code, group.name)));
    groups.push(choice(CHANGES, "Everything except requests"));
    if !chosen.is_empty() && kinds_of(chosen).is_none() {
        groups.push(choice(chosen, chosen));
    }
    let single = GROUPS.iter().filter(|group| group.kinds.len() > 1).map(|group| ChoiceGroup {
        heading: group.name,
        choices: group.kinds.iter().map(|kind| choice(kind.as_str(), sentences::name(*kind))).collect(),
    });
    std::iter::once(ChoiceGroup { heading: "", choices: groups }).chain(single).collect()
}

/// A chosen person who left the team stays in the menu.
pub fn people(people: &[Member], chosen: &str) -> Vec<Choice> {
    let choices = people.iter().map(|person| Choice {
        value: person.user_id.to_string(),
        text: format!("{} ({})", person.name, person.email),
    });
    with_chosen("Everyone", choices.collect(), chosen, "Someone not on the team")
}

/// A chosen token that is not listed stays in the menu.
pub fn tokens(tokens: &[Token], chosen: &str) -> Vec<Choice> {
    let choices = tokens.iter().map(|token| {
        let revoked = if token.revoked_at.is_some() { ", revoked" } else { "" };
        Choice { value: token.id.to_string(), text: format!("{} ({}{revoked})", token.name, token.masked()) }
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
