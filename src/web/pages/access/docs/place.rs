//! The pages of the reference, and where links between them lead.

use super::description::{Group, Operation};
use super::guide::Guide;
use crate::web::paths;

#[derive(Clone, Copy)]
pub enum Place {
    Guides,
    Resource(&'static Group),
    /// Everything on one page, to print.
    All,
    /// Search results, which link to whole addresses.
    Results,
}

impl Place {
    pub fn path(self) -> String {
        match self {
            Self::Guides | Self::Results => paths::DOCS.to_string(),
            Self::Resource(group) => paths::DOCS_RESOURCE.of(&group.id),
            Self::All => paths::DOCS_ALL.to_string(),
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Guides | Self::Results => "Guides",
            Self::Resource(group) => &group.name,
            Self::All => "Everything",
        }
    }

    pub fn is_all(self) -> bool {
        matches!(self, Self::All)
    }

    /// Where errors are results of their own.
    pub fn is_results(self) -> bool {
        matches!(self, Self::Results)
    }

    pub fn is_of(self, page: &str) -> bool {
        matches!(self, Self::Resource(group) if group.id == page)
    }

    pub fn guide(self, guide: Guide) -> String {
        self.guides_at(guide.id())
    }

    pub fn error(self, code: &str) -> String {
        self.guides_at(code)
    }

    pub fn operation(self, operation: &Operation) -> String {
        self.at(&operation.page, &operation.id)
    }

    /// A schema is described on each page that uses it.
    pub fn object(self, page: &str, name: &str) -> String {
        self.at(page, &object_id(page, name))
    }

    pub fn group(self, page: &str) -> String {
        match self {
            Self::All => format!("#{page}"),
            _ => paths::DOCS_RESOURCE.of(page),
        }
    }

    fn guides_at(self, anchor: &str) -> String {
        match self {
            Self::Guides | Self::All => format!("#{anchor}"),
            Self::Resource(_) | Self::Results => format!("{}#{anchor}", paths::DOCS),
        }
    }

    fn at(self, page: &str, anchor: &str) -> String {
        match self {
            Self::All => format!("#{anchor}"),
            _ if self.is_of(page) => format!("#{anchor}"),
            _ => format!("{}#{anchor}", paths::DOCS_RESOURCE.of(page)),
        }
    }
}

pub fn object_id(page: &str, name: &str) -> String {
    format!("{page}-{name}")
}
