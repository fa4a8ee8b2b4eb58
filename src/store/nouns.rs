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

/// The code and sentence of a notice.
pub struct Done {
    pub code: &'static str,
    pub sentence: &'static str,
}

/// The activity record of a change, and the notice after it.
pub struct Change {
    pub kind: Kind,
    pub notice: Done,
}

pub struct Operation {
    pub id: &'static str,
    pub title: &'static str,
}

pub struct Operations {
    pub list: Operation,
    pub create: Operation,
    pub get: Operation,
    pub change: Operation,
    pub delete: Operation,
}

pub struct Words {
    pub one: &'static str,
    pub many: &'static str,
    pub title: &'static str,
    pub created: Change,
    pub changed: Change,
    pub deleted: Change,
    pub read: Access,
    pub write: Access,
    /// `/contacts`: the page's path, and the API path below its base.
    pub list: &'static str,
    pub page: &'static str,
    pub creation: &'static str,
    pub deletion: &'static str,
    pub operations: Operations,
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
                        created: Change {
                            kind: kind(concat!($one, ".created"), concat!(stringify!($noun), " created"),
                                concat!($created, " the ", $one, " {subject}")),
                            notice: done(concat!("created-", $one), concat!(stringify!($noun), " created.")),
                        },
                        changed: Change {
                            kind: kind(concat!($one, ".changed"), concat!(stringify!($noun), " changed"),
                                concat!("Changed the ", $one, " {subject}")),
                            notice: done(concat!("changed-", $one), concat!(stringify!($noun), " updated.")),
                        },
                        deleted: Change {
                            kind: kind(concat!($one, ".deleted"), concat!(stringify!($noun), " deleted"),
                                concat!("Deleted the ", $one, " {subject}")),
                            notice: done(concat!("deleted-", $one), concat!(stringify!($noun), " deleted.")),
                        },
                        read: access(concat!($many, ":read"), concat!("Read ", $many, ".")),
                        write: access(concat!($many, ":write"), concat!("Create, change and delete ", $many, ".")),
                        list: concat!("/", $many),
                        page: concat!("/", $many, "/{id}"),
                        creation: concat!("/", $many, "/new"),
                        deletion: concat!("/", $many, "/{id}/delete"),
                        operations: Operations {
                            list: operation(concat!("list", $title), concat!("List ", $many)),
                            create: operation(concat!("create", stringify!($noun)), concat!("Create ", $a_one)),
                            get: operation(concat!("get", stringify!($noun)), concat!("Get ", $a_one)),
                            change: operation(concat!("change", stringify!($noun)), concat!("Change ", $a_one)),
                            delete: operation(concat!("delete", stringify!($noun)), concat!("Delete ", $a_one)),
                        },
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
