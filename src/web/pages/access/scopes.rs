//! What a token may do, as people choose and read it.

use crate::domain::FieldError;
use crate::domain::access::scopes::{Scope, Scopes};

/// How the form of a new token stands.
#[derive(Clone, Copy)]
pub struct Choice {
    pub way: Way,
    /// The boxes that are ticked; they count in one way only.
    ticked: Scopes,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    #[default]
    Read,
    Some,
    All,
}

impl Default for Choice {
    fn default() -> Self {
        Self { way: Way::default(), ticked: Scopes::of(&[]) }
    }
}

/// Boxes that stand together.
pub struct Group {
    pub name: &'static str,
    pub boxes: Vec<Tickbox>,
}

pub struct Tickbox {
    pub scope: &'static str,
    pub text: &'static str,
    pub ticked: bool,
}

impl Choice {
    /// Reads `access` and each `scope` of a form; what is not sent is as in a new one.
    pub fn of(fields: &[(String, String)]) -> Self {
        let all = |name: &'static str| fields.iter().filter(move |(field, _)| field == name);
        let ticked: Vec<_> = all("scope").filter_map(|(_, value)| Scope::parse(value)).collect();
        let way = match all("access").next().map(|(_, value)| value.as_str()) {
            Some("all") => Way::All,
            Some("some") => Way::Some,
            _ => Way::Read,
        };
        Self { way, ticked: Scopes::of(&ticked) }
    }

    /// # Errors
    /// A sentence about the field `scopes` when nothing is chosen.
    pub fn scopes(&self) -> Result<Scopes, FieldError> {
        match self.way {
            Way::Read => Ok(Scopes::READ),
            Way::All => Ok(Scopes::ALL),
            Way::Some => Scopes::named(self.ticked.iter().map(Scope::as_str)),
        }
    }

    /// The fields that bring it back.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let way = match self.way {
            Way::Read => "read",
            Way::Some => "some",
            Way::All => "all",
        };
        let ticked = self.ticked.iter().map(|scope| ("scope", scope.as_str().to_owned()));
        [("access", way.to_owned())].into_iter().chain(ticked).collect()
    }

    pub fn groups(&self) -> Vec<Group> {
        let group = |name, boxes: &[(Scope, &'static str)]| {
            let tick = |&(scope, text): &(Scope, _)| Tickbox {
                scope: scope.as_str(),
                text,
                ticked: self.ticked.has(scope),
            };
            Group { name, boxes: boxes.iter().map(tick).collect() }
        };
        vec![
            group("Domains", &[(Scope::DomainsRead, "Read"), (Scope::DomainsWrite, "Change")]),
            group("Aliases", &[(Scope::AliasesRead, "Read"), (Scope::AliasesWrite, "Change")]),
            group("Contacts", &[(Scope::ContactsRead, "Read"), (Scope::ContactsWrite, "Change")]),
            group("Messages", &[(Scope::MessagesRead, "Read"), (Scope::MessagesWrite, "Change")]),
            group("Team", &[(Scope::TeamRead, "Read its people"), (Scope::TokensRead, "Read its tokens")]),
        ]
    }
}

/// Scopes in a few words.
pub fn words(scopes: Scopes) -> String {
    match scopes {
        Scopes::ALL => "Everything".into(),
        Scopes::READ => "Read only".into(),
        some => some.to_string().replace(' ', ", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_has_a_box() {
        let groups = Choice::default().groups();
        let boxes: Vec<_> = groups.iter().flat_map(|group| &group.boxes).map(|each| each.scope).collect();
        assert_eq!(boxes, Scope::ALL.map(Scope::as_str));
    }

    #[test]
    fn a_form_that_is_asked_for_again_chooses_the_same() {
        for sent in [&[("access", "some"), ("scope", "aliases:write"), ("scope", "team:read")][..], &[]] {
            let sent: Vec<_> =
                sent.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let choice = Choice::of(&sent);
            let again: Vec<_> =
                choice.fields().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            assert_eq!(Choice::of(&again).scopes(), choice.scopes());
        }
    }
}
