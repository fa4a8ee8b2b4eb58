//! The search over guides, errors, operations and objects.

use askama::Template;

use super::description::{GROUPS, Group, Operation};
use super::guide::Guide;
use super::guides::About;
use super::place::{Place, object_id};
use super::words::{begins, holds};
use crate::web::api::codes::{self, Code};
use crate::web::pages::error::PageError;

#[derive(Template)]
#[template(path = "docs/_results.html")]
pub struct Results {
    pub asked: String,
    /// The page to return to.
    pub back: String,
    groups: Vec<Hits>,
}

struct Hits {
    name: &'static str,
    hits: Vec<Hit>,
}

struct Hit {
    mark: Mark,
    title: String,
    code: String,
    text: String,
    path: String,
}

/// What is before the title.
enum Mark {
    Icon(&'static str),
    Method(&'static str),
    Status(u16),
}

impl Results {
    pub fn of(about: &About, place: Place, asked: &str) -> Result<Self, PageError> {
        let groups = vec![
            Hits::of("Guides", guides(about, asked)?, asked),
            Hits::of("Errors", errors(asked), asked),
            Hits::of("Operations", operations(asked), asked),
            Hits::of("Objects", objects(asked), asked),
        ];
        let groups = groups.into_iter().filter(|group| !group.hits.is_empty()).collect();
        Ok(Self { asked: asked.to_owned(), back: place.path(), groups })
    }

    /// For screen readers too.
    pub fn count(&self) -> String {
        match self.groups.iter().map(|group| group.hits.len()).sum() {
            0 => "No results".into(),
            1 => "1 result".into(),
            more => format!("{more} results"),
        }
    }
}

impl Hits {
    /// What has more of the words in its title comes first.
    fn of(name: &'static str, mut hits: Vec<Hit>, asked: &str) -> Self {
        let asked = asked.to_lowercase();
        let titled = |hit: &Hit| {
            let title = format!("{} {}", hit.title, hit.code).to_lowercase();
            asked.split_whitespace().filter(|word| begins(&title, word)).count()
        };
        hits.sort_by_key(|hit| std::cmp::Reverse(titled(hit)));
        Self { name, hits }
    }
}

fn guides(about: &About, asked: &str) -> Result<Vec<Hit>, PageError> {
    let mut hits = Vec::new();
    for guide in Guide::ALL {
        let text = without_tags(&guide.markup(about, Place::Results).map_err(PageError::fault)?);
        if holds(&text.to_lowercase(), asked) {
            hits.push(Hit {
                mark: Mark::Icon("book-open"),
                title: guide.title().to_owned(),
                code: String::new(),
                text: guide.summary().to_owned(),
                path: Place::Results.guide(guide),
            });
        }
    }
    Ok(hits)
}

fn errors(asked: &str) -> Vec<Hit> {
    let words = |code: &Code| format!("{} {} {} {}", code.status, code.name, code.meaning, code.remedy);
    let found = codes::ALL.iter().filter(|code| holds(&words(code).to_lowercase(), asked));
    let hit = |code: &&Code| Hit {
        mark: Mark::Status(code.status),
        title: String::new(),
        code: code.name.to_owned(),
        text: code.meaning.to_owned(),
        path: Place::Results.error(code.name),
    };
    found.map(hit).collect()
}

fn operations(asked: &str) -> Vec<Hit> {
    let found = GROUPS.iter().flat_map(|group| &group.operations).filter(|it| it.matches(asked));
    let hit = |it: &'static Operation| Hit {
        mark: Mark::Method(&it.method),
        title: it.title.clone(),
        code: it.path.clone(),
        text: String::new(),
        path: Place::Results.operation(it),
    };
    found.map(hit).collect()
}

/// Each name once: on the first page that describes it.
fn objects(asked: &str) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    let described = |group: &'static Group| group.objects.iter().map(move |object| (group, object));
    for (group, object) in GROUPS.iter().flat_map(described) {
        let words = object.fields.iter().map(|field| format!(" {} {}", field.name, field.text));
        let words = format!("{} {}{} object", object.name, object.text, words.collect::<String>());
        if holds(&words.to_lowercase(), asked) && !hits.iter().any(|hit| hit.code == object.name) {
            hits.push(Hit {
                mark: Mark::Icon("braces"),
                title: String::new(),
                code: object.name.clone(),
                text: group.name.clone(),
                path: format!("{}#{}", Place::Resource(group).path(), object_id(&group.id, &object.name)),
            });
        }
    }
    hits
}

fn without_tags(markup: &str) -> String {
    let parts = markup.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    parts.collect::<Vec<_>>().join(" ")
}
