//! Scopes: what a token can do.
//!
//! A route needs exactly one scope, and a token can do only what its scopes allow. Write does not imply
//! read: an app that only creates aliases need not see the mail they receive, and a single `scope="…"`
//! names what a refused caller lacks. (The response to a change contains the changed resource.)
//!
//! `read` means the current read scopes: later versions add none to existing tokens. `all` includes new ones.

use std::fmt;

use crate::domain::FieldError;
use crate::store::nouns::{Noun, with_nouns};

struct Words {
    name: &'static str,
    group: &'static str,
    label: &'static str,
    sentence: &'static str,
}

const fn words(
    name: &'static str,
    group: &'static str,
    label: &'static str,
    sentence: &'static str,
) -> Words {
    Words { name, group, label, sentence }
}

/// Each scope with its name, its group and label in forms, and its sentence in the API reference. Scopes
/// of one group are adjacent.
macro_rules! scopes {
    ($($before:ident = $words:tt;)+ ..nouns; $($after:ident = $last_words:tt;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Scope {
            $($before,)+
            Read(Noun),
            Write(Noun),
            $($after,)+
        }

        enum Own {
            $($before,)+
            $($after,)+
        }

        impl Scope {
            const BEFORE: &'static [Self] = &[$(Self::$before),+];
            const AFTER: &'static [Self] = &[$(Self::$after),+];

            const fn words(self) -> Words {
                match self {
                    $(Self::$before => words $words,)+
                    Self::Read(noun) => read_words(noun),
                    Self::Write(noun) => write_words(noun),
                    $(Self::$after => words $last_words,)+
                }
            }

            const fn index(self) -> u32 {
                let own = Self::NOUN_SCOPES as u32;
                match self {
                    Self::Read(noun) => 2 * noun as u32,
                    Self::Write(noun) => 2 * noun as u32 + 1,
                    $(Self::$before => own + Own::$before as u32,)+
                    $(Self::$after => own + Own::$after as u32,)+
                }
            }
        }
    };
}

scopes! {
    DomainsRead = ("domains:read", "Domains", "Read", "Read domains and the state of their DNS records.");
    DomainsWrite = ("domains:write", "Domains", "Write", "Add, check and remove domains, and set catch-alls.");
    ..nouns;
    MessagesRead = ("messages:read", "Messages", "Read", "Read and search messages, with attachments and source.");
    MessagesWrite = ("messages:write", "Messages", "Write", "Mark messages as read, and delete them.");
    TeamRead = ("team:read", "Team", "Read members", "Read the team and its members.");
    TokensRead = ("tokens:read", "Team", "Read tokens", "Read the team's tokens, never their secrets.");
}

macro_rules! noun_scopes {
    ($($noun:ident = $one:literal, $a_one:literal, $many:literal, $title:literal, $created:literal;)+) => {
        const fn read_words(noun: Noun) -> Words {
            match noun {
                $(Noun::$noun => words(concat!($many, ":read"), $title, "Read", concat!("Read ", $many, ".")),)+
            }
        }

        const fn write_words(noun: Noun) -> Words {
            match noun {
                $(Noun::$noun => words(concat!($many, ":write"), $title, "Write",
                    concat!("Create, change and delete ", $many, ".")),)+
            }
        }
    };
}

with_nouns!(noun_scopes);

// One bit must stay unused: otherwise the set of all current scopes would equal `Scopes::ALL`.
const _: () = assert!(Scope::ALL.len() < Bits::BITS as usize);

type Bits = u64;

/// In release builds, shifting too far would wrap around to another scope's bit.
const fn bit(index: u32) -> Bits {
    match (1 as Bits).checked_shl(index) {
        Some(bit) => bit,
        None => 0,
    }
}

impl Scope {
    const NOUN_SCOPES: usize = 2 * Noun::ALL.len();

    pub const ALL: [Self; Self::BEFORE.len() + Self::NOUN_SCOPES + Self::AFTER.len()] = {
        let (first, last) = (Self::BEFORE.len(), Self::BEFORE.len() + Self::NOUN_SCOPES);
        let (mut all, mut at) =
            ([Self::BEFORE[0]; Self::BEFORE.len() + Self::NOUN_SCOPES + Self::AFTER.len()], 0);
        while at < all.len() {
            all[at] = match at {
                _ if at < first => Self::BEFORE[at],
                _ if at >= last => Self::AFTER[at - last],
                _ if (at - first) % 2 == 0 => Self::Read(Noun::ALL[(at - first) / 2]),
                _ => Self::Write(Noun::ALL[(at - first) / 2]),
            };
            at += 1;
        }
        all
    };

    pub const fn as_str(self) -> &'static str {
        self.words().name
    }

    pub const fn group(self) -> &'static str {
        self.words().group
    }

    pub const fn label(self) -> &'static str {
        self.words().label
    }

    pub const fn sentence(self) -> &'static str {
        self.words().sentence
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.as_str() == text)
    }

    const fn bit(self) -> Bits {
        bit(self.index())
    }

    const fn is_read(self) -> bool {
        matches!(self.as_str().as_bytes(), [.., b':', b'r', b'e', b'a', b'd'])
    }
}

/// A set of scopes, as a bit set because every API call checks one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(Bits);

impl Scopes {
    /// Every scope, including those that later versions add.
    pub const ALL: Self = Self(Bits::MAX);

    pub const READ: Self = {
        let (mut bits, mut at) = (0, 0);
        while at < Scope::ALL.len() {
            if Scope::ALL[at].is_read() {
                bits |= Scope::ALL[at].bit();
            }
            at += 1;
        }
        Self(bits)
    };

    pub const fn of(scopes: &[Scope]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < scopes.len() {
            bits |= scopes[at].bit();
            at += 1;
        }
        Self(bits)
    }

    /// Parses `all`, `read`, or a list of scopes separated by spaces or commas.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        match text.trim() {
            "all" => Ok(Self::ALL),
            "read" => Ok(Self::READ),
            list => Self::named(list.split([' ', ',']).filter(|name| !name.is_empty())),
        }
    }

    /// Parses one or more scope names.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, FieldError> {
        let mut scopes = Self(0);
        for name in names {
            let Some(scope) = Scope::parse(name) else {
                let known = Scope::ALL.map(Scope::as_str).join(", ");
                let message = format!("Unknown scope {name:?}. Use any of {known}, or all on its own.");
                return Err(FieldError::new("scopes", message));
            };
            scopes.0 |= scope.bit();
        }
        match scopes.0 {
            0 => Err(FieldError::new("scopes", "Choose at least one permission.")),
            _ => Ok(scopes),
        }
    }

    /// Parses the column, in which NULL means all scopes. Unknown names allow nothing.
    pub fn stored(column: Option<&str>) -> Self {
        let Some(names) = column else { return Self::ALL };
        Self(names.split(' ').filter_map(Scope::parse).fold(0, |bits, scope| bits | scope.bit()))
    }

    /// The inverse of [`Self::stored`].
    pub(crate) fn to_column(self) -> Option<String> {
        (!self.is_all()).then(|| self.to_string())
    }

    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    pub(crate) fn is_all(self) -> bool {
        self == Self::ALL
    }

    /// The known scopes of the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

/// `all`, or the scopes separated by spaces.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.write_str("all");
        }
        f.write_str(&self.iter().map(Scope::as_str).collect::<Vec<_>>().join(" "))
    }
}

/// An array of the scopes' names.
impl serde::Serialize for Scopes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Scope::as_str))
    }
}

/// The credential that a route requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Any token will do: the route concerns only the token itself.
    AnyToken,
    Scope(Scope),
    /// No token will do: the route needs a signed-in person.
    Person,
}

impl From<Scope> for Need {
    fn from(scope: Scope) -> Self {
        Self::Scope(scope)
    }
}

impl Need {
    pub(crate) const fn is_satisfied_by(self, scopes: Scopes) -> bool {
        match self {
            Self::AnyToken => true,
            Self::Scope(scope) => scopes.has(scope),
            Self::Person => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_scopes_parse_back() {
        for scopes in [Scopes::ALL, Scopes::READ, Scopes::of(&[Scope::Write(Noun::Alias), Scope::TeamRead])] {
            assert_eq!(Scopes::parse(&scopes.to_string()), Ok(scopes));
            assert_eq!(Scopes::stored(scopes.to_column().as_deref()), scopes);
        }
        assert_eq!(Scopes::ALL.to_column(), None);
        assert_eq!(
            Scopes::parse(" team:read,aliases:write ").unwrap().to_string(),
            "aliases:write team:read"
        );
    }

    #[test]
    fn each_scope_has_its_own_bit() {
        let indexes: std::collections::HashSet<u32> = Scope::ALL.into_iter().map(Scope::index).collect();
        assert_eq!(indexes, (0..Scope::ALL.len() as u32).collect());
        for (scope, other) in Scope::ALL.into_iter().flat_map(|one| Scope::ALL.map(|other| (one, other))) {
            assert_eq!(Scopes::of(&[scope]).has(other), scope == other, "{scope:?} {other:?}");
        }
        assert!(Scope::ALL.into_iter().all(|scope| Scopes::ALL.has(scope)));
        let reads = Scope::ALL.into_iter().filter(|scope| scope.as_str().ends_with(":read"));
        assert!(reads.eq(Scopes::READ.iter()));
    }

    #[test]
    fn bits_are_distinct_and_never_wrap_around() {
        let bits: std::collections::HashSet<Bits> = (0..Bits::BITS).map(bit).collect();
        assert_eq!(bits.len(), 64);
        assert_eq!(bit(32) & bit(0), 0, "the 33rd bit equals the first");
        assert_eq!(bit(Bits::BITS), 0, "a bit out of range must be 0");
    }

    #[test]
    fn unknown_scopes_are_refused_and_allow_nothing() {
        for bad in ["", " ", "everything", "aliases", "all aliases:read", "Aliases:Read", "aliases:read;x"] {
            assert_eq!(Scopes::parse(bad).unwrap_err().field, "scopes", "{bad:?}");
        }
        assert_eq!(Scopes::stored(Some("")), Scopes::of(&[]));
        assert_eq!(Scopes::stored(Some("aliases:read later:write")), Scopes::of(&[Scope::Read(Noun::Alias)]));
        assert!(
            !Need::Person.is_satisfied_by(Scopes::ALL) && Need::AnyToken.is_satisfied_by(Scopes::of(&[]))
        );
    }
}
