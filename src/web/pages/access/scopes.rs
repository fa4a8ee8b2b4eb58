//! Permissions of a token: the form's choice, and a summary of scopes.

use crate::domain::FieldError;
use crate::domain::access::scopes::{Scope, Scopes};

#[derive(Clone, Copy)]
pub struct Choice {
    pub access: Access,
    /// Ignored unless `access` is `Custom`.
    ticked: Scopes,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    #[default]
    Read,
    Custom,
    All,
}

impl Default for Choice {
    fn default() -> Self {
        Self { access: Access::default(), ticked: Scopes::of(&[]) }
    }
}

pub struct Group {
    pub name: &'static str,
    pub boxes: Vec<Checkbox>,
}

impl Group {
    /// Returns the boxes for reading and those for writing.
    pub fn columns(&self) -> [Vec<&Checkbox>; 2] {
        let of = |writes: bool| self.boxes.iter().filter(move |each| each.writes() == writes).collect();
        [of(false), of(true)]
    }
}

pub struct Checkbox {
    pub scope: &'static str,
    pub text: &'static str,
    pub ticked: bool,
}

impl Checkbox {
    fn writes(&self) -> bool {
        self.scope.ends_with(":write")
    }

    /// The text, unless the column's heading already says it.
    pub fn note(&self) -> &'static str {
        if matches!(self.text, "Read" | "Write") { "" } else { self.text }
    }
}

impl Choice {
    /// Reads the fields of a form. Missing ones get the defaults of a new form.
    pub fn of(access: &str, scopes: &[String]) -> Self {
        let access = match access {
            "all" => Access::All,
            "some" => Access::Custom,
            _ => Access::Read,
        };
        let ticked: Vec<_> = scopes.iter().filter_map(|scope| Scope::parse(scope)).collect();
        Self { access, ticked: Scopes::of(&ticked) }
    }

    /// # Errors
    /// A sentence about the field `scopes` when nothing is chosen.
    pub fn scopes(&self) -> Result<Scopes, FieldError> {
        match self.access {
            Access::Read => Ok(Scopes::READ),
            Access::All => Ok(Scopes::ALL),
            Access::Custom => Scopes::named(self.ticked.iter().map(Scope::as_str)),
        }
    }

    /// The form's fields that restore this choice.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let access = match self.access {
            Access::Read => "read",
            Access::Custom => "some",
            Access::All => "all",
        };
        let ticked = self.ticked.iter().map(|scope| ("scope", scope.as_str().to_owned()));
        [("access", access.to_owned())].into_iter().chain(ticked).collect()
    }

    pub fn groups(&self) -> Vec<Group> {
        let checkbox = |scope: &Scope| Checkbox {
            scope: scope.as_str(),
            text: scope.label(),
            ticked: self.ticked.has(*scope),
        };
        let groups = Scope::ALL.chunk_by(|one, next| one.group() == next.group());
        groups
            .map(|scopes| Group { name: scopes[0].group(), boxes: scopes.iter().map(checkbox).collect() })
            .collect()
    }
}

pub fn summary(scopes: Scopes) -> String {
    match scopes {
        Scopes::ALL => "Everything".into(),
        Scopes::READ => "Read only".into(),
        some => match some.iter().count() {
            1 => "1 scope".into(),
            count => format!("{count} scopes"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_has_a_checkbox() {
        let groups = Choice::default().groups();
        let boxes: Vec<_> = groups.iter().flat_map(|group| &group.boxes).map(|each| each.scope).collect();
        assert_eq!(boxes, Scope::ALL.map(Scope::as_str));
    }

    #[test]
    fn the_fields_of_a_choice_restore_it() {
        for (access, scopes) in [("some", &["aliases:write", "team:read"][..]), ("", &[])] {
            let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
            let choice = Choice::of(access, &scopes);
            let fields = choice.fields();
            let again = |field: &str| {
                let sent = fields.iter().filter(|(name, _)| *name == field);
                sent.map(|(_, value)| value.clone()).collect::<Vec<_>>()
            };
            assert_eq!(Choice::of(&again("access")[0], &again("scope")).scopes(), choice.scopes());
        }
    }
}
