//! The plain nouns of a team: what is listed, created, changed and deleted, on pages and by the
//! API. A noun has a row of words here; its kinds of activity, scopes, addresses, operations and
//! notices are made of them.

/// A kind of activity: its stored name, its label and its sentence.
pub struct Kind {
    pub name: &'static str,
    pub label: &'static str,
    pub sentences: [&'static str; 1],
}

/// A scope: its name, and a sentence for the reference.
pub struct Access {
    pub name: &'static str,
    pub sentence: &'static str,
}

/// What is said of a noun after it was created, changed or deleted: the code of the notice, and
/// its sentence.
pub struct Done {
    pub code: &'static str,
    pub sentence: &'static str,
}

/// An operation of the API: its id and its title.
pub struct Operation {
    pub id: &'static str,
    pub title: &'static str,
}

pub struct Words {
    /// `contact`
    pub one: &'static str,
    /// `contacts`
    pub many: &'static str,
    /// `Contacts`
    pub title: &'static str,
    /// Of its kinds of activity, `[created, changed, deleted]`.
    pub kinds: [Kind; 3],
    pub notices: [Done; 3],
    /// `[read, write]`
    pub scopes: [Access; 2],
    /// `/contacts`, of pages and below the base of the API.
    pub list: &'static str,
    /// `/contacts/{id}`
    pub page: &'static str,
    /// `/contacts/{id}/delete`
    pub deletion: &'static str,
    /// `[list, create, get, change, delete]`
    pub operations: [Operation; 5],
    /// `Delete contact`
    pub delete: &'static str,
    /// `The contact is deleted.`
    pub is_deleted: &'static str,
}

macro_rules! nouns {
    ($($noun:ident = $one:literal, $a_one:literal, $many:literal, $title:literal, $created:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Noun {
            $($noun),+
        }

        impl Noun {
            pub const ALL: [Self; [$($one),+].len()] = [$(Self::$noun),+];

            pub const fn words(self) -> &'static Words {
                match self {
                    $(Self::$noun => const { &Words {
                        one: $one,
                        many: $many,
                        title: $title,
                        kinds: [
                            kind(concat!($one, ".created"), concat!(stringify!($noun), " created"),
                                concat!($created, " the ", $one, " {subject}")),
                            kind(concat!($one, ".changed"), concat!(stringify!($noun), " changed"),
                                concat!("Changed the ", $one, " {subject}")),
                            kind(concat!($one, ".deleted"), concat!(stringify!($noun), " deleted"),
                                concat!("Deleted the ", $one, " {subject}")),
                        ],
                        notices: [
                            done(concat!($one, "-created"), concat!(stringify!($noun), " created.")),
                            done(concat!($one, "-changed"), concat!(stringify!($noun), " updated.")),
                            done(concat!($one, "-deleted"), concat!(stringify!($noun), " deleted.")),
                        ],
                        scopes: [
                            access(concat!($many, ":read"), concat!("Read ", $many, ".")),
                            access(concat!($many, ":write"), concat!("Create, change and delete ", $many, ".")),
                        ],
                        list: concat!("/", $many),
                        page: concat!("/", $many, "/{id}"),
                        deletion: concat!("/", $many, "/{id}/delete"),
                        operations: [
                            operation(concat!("list", $title), concat!("List ", $many)),
                            operation(concat!("create", stringify!($noun)), concat!("Create ", $a_one)),
                            operation(concat!("get", stringify!($noun)), concat!("Get ", $a_one)),
                            operation(concat!("change", stringify!($noun)), concat!("Change ", $a_one)),
                            operation(concat!("delete", stringify!($noun)), concat!("Delete ", $a_one)),
                        ],
                        delete: concat!("Delete ", $one),
                        is_deleted: concat!("The ", $one, " is deleted."),
                    } },)+
                }
            }
        }
    };
}

// In the order of scopes and menus. The last word says in the activity how it is created.
nouns! {
    Alias = "alias", "an alias", "aliases", "Aliases", "Created";
    Contact = "contact", "a contact", "contacts", "Contacts", "Added";
}

const fn kind(name: &'static str, label: &'static str, sentence: &'static str) -> Kind {
    Kind { name, label, sentences: [sentence] }
}

const fn done(code: &'static str, sentence: &'static str) -> Done {
    Done { code, sentence }
}

const fn access(name: &'static str, sentence: &'static str) -> Access {
    Access { name, sentence }
}

const fn operation(id: &'static str, title: &'static str) -> Operation {
    Operation { id, title }
}
