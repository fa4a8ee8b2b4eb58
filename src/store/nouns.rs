//! The plain nouns of a team, which are listed, created, changed and deleted, on pages and by the API.
//! Each has one entry here, from which its kinds of activity, scopes, paths, operations and notices are
//! made.

pub struct Kind {
    pub name: &'static str,
    pub label: &'static str,
    pub sentences: [&'static str; 1],
}

pub struct Access {
    pub name: &'static str,
    pub sentence: &'static str,
}

/// The notice after a noun was created, changed or deleted: its code and sentence.
pub struct Done {
    pub code: &'static str,
    pub sentence: &'static str,
}

pub struct Operation {
    pub id: &'static str,
    pub title: &'static str,
}

pub struct Words {
    pub one: &'static str,
    pub many: &'static str,
    pub title: &'static str,
    /// `[created, changed, deleted]`
    pub kinds: [Kind; 3],
    pub notices: [Done; 3],
    /// `[read, write]`
    pub scopes: [Access; 2],
    /// `/contacts`, of pages and below the base of the API.
    pub list: &'static str,
    pub page: &'static str,
    pub deletion: &'static str,
    /// `[list, create, get, change, delete]`
    pub operations: [Operation; 5],
    pub delete: &'static str,
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

// In the order of scopes and menus. The last word is the verb for its creation in the activity log.
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
