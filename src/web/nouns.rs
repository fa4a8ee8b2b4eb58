//! The paths, texts and API operations of plain nouns.

use crate::domain::nouns::{Noun, with_nouns};

/// The code and sentence of a notice.
pub struct Done {
    pub code: &'static str,
    pub sentence: &'static str,
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
    pub many: &'static str,
    pub title: &'static str,
    pub created: Done,
    pub changed: Done,
    pub deleted: Done,
    /// `/contacts`: the page's path, and the API path below its base.
    pub list: &'static str,
    pub page: &'static str,
    pub creation: &'static str,
    pub deletion: &'static str,
    pub operations: Operations,
    pub delete: &'static str,
    pub is_deleted: &'static str,
}

macro_rules! words {
    ($($noun:ident = $one:literal, $a_one:literal, $many:literal, $title:literal, $created:literal;)+) => {
        impl Noun {
            pub const fn words(self) -> &'static Words {
                match self {
                    $(Self::$noun => const { &Words {
                        many: $many,
                        title: $title,
                        created: done(concat!("created-", $one), concat!(stringify!($noun), " created.")),
                        changed: done(concat!("changed-", $one), concat!(stringify!($noun), " updated.")),
                        deleted: done(concat!("deleted-", $one), concat!(stringify!($noun), " deleted.")),
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

with_nouns!(words);

const fn done(code: &'static str, sentence: &'static str) -> Done {
    Done { code, sentence }
}

const fn operation(id: &'static str, title: &'static str) -> Operation {
    Operation { id, title }
}
