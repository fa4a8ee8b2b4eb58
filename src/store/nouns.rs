//! The plain nouns of a team, which people and apps can list, create, change and delete.

pub struct Kind {
    pub name: &'static str,
    pub label: &'static str,
    pub sentences: [&'static str; 1],
}

/// The kinds of activity of a noun.
pub struct Kinds {
    pub created: Kind,
    pub changed: Kind,
    pub deleted: Kind,
}

/// Passes the nouns, in the order of scopes and menus, to a macro: each layer generates its names and texts from them.
/// The last word is the verb for creation in the activity log.
macro_rules! with_nouns {
    ($generate:ident) => {
        $generate! {
            Alias = "alias", "an alias", "aliases", "Aliases", "Created";
            Contact = "contact", "a contact", "contacts", "Contacts", "Added";
        }
    };
}

macro_rules! kinds {
    ($($noun:ident = $one:literal, $a_one:literal, $many:literal, $title:literal, $created:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Noun {
            $($noun),+
        }

        impl Noun {
            pub const ALL: [Self; [$($one),+].len()] = [$(Self::$noun),+];

            pub const fn kinds(self) -> &'static Kinds {
                match self {
                    $(Self::$noun => const { &Kinds {
                        created: kind(concat!($one, ".created"), concat!(stringify!($noun), " created"),
                            concat!($created, " the ", $one, " {subject}")),
                        changed: kind(concat!($one, ".changed"), concat!(stringify!($noun), " changed"),
                            concat!("Changed the ", $one, " {subject}")),
                        deleted: kind(concat!($one, ".deleted"), concat!(stringify!($noun), " deleted"),
                            concat!("Deleted the ", $one, " {subject}")),
                    } },)+
                }
            }
        }
    };
}

with_nouns!(kinds);

pub(crate) use with_nouns;

const fn kind(name: &'static str, label: &'static str, sentence: &'static str) -> Kind {
    Kind { name, label, sentences: [sentence] }
}
