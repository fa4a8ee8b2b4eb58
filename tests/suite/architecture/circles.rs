//! Finds circular dependencies between files by following the paths in their code.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// A path as `["crate", "store", "Tx"]`, without the `crate`.
type Path = Vec<String>;

struct File {
    name: String,
    module: Path,
    /// The path of each imported name.
    imports: BTreeMap<String, Path>,
    /// Every path in the code, except those of re-exported names.
    used: Vec<Path>,
}

/// Returns the circles among the files of one crate, each sorted by name.
pub fn circles(files: &[Source]) -> Vec<Vec<String>> {
    let modules: BTreeSet<Path> = files.iter().map(|file| module_of(&file.path)).collect();
    let files: Vec<File> = files.iter().map(|file| read(file, &modules)).collect();
    let index: BTreeMap<&Path, usize> =
        files.iter().enumerate().map(|(at, file)| (&file.module, at)).collect();
    let needs = |at: usize| -> BTreeSet<usize> {
        let found = files[at].used.iter().filter_map(|path| defining(path, &files, &index, 8));
        found.filter(|other| !files[at].module.starts_with(&files[*other].module)).collect()
    };
    let arrows: Vec<BTreeSet<usize>> = (0..files.len()).map(needs).collect();
    let reached: Vec<BTreeSet<usize>> = (0..files.len()).map(|from| reach(from, &arrows)).collect();
    let circle = |at: usize| -> BTreeSet<usize> {
        reached[at].iter().copied().filter(|other| reached[*other].contains(&at)).collect()
    };
    let found: BTreeSet<BTreeSet<usize>> = (0..files.len()).map(circle).filter(|it| it.len() > 1).collect();
    found.into_iter().map(|circle| circle.into_iter().map(|at| files[at].name.clone()).collect()).collect()
}

fn reach(from: usize, arrows: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(at) = open.pop() {
        open.extend(arrows[at].iter().filter(|next| reached.insert(**next)));
    }
    reached
}

/// Returns the file that defines a path, following re-exports.
fn defining(path: &[String], files: &[File], index: &BTreeMap<&Path, usize>, steps: u8) -> Option<usize> {
    let length = (0..=path.len()).rev().find(|length| index.contains_key(&path[..*length].to_vec()))?;
    let (at, rest) = (index[&path[..length].to_vec()], &path[length..]);
    let handed_on = rest.first().and_then(|name| files[at].imports.get(name));
    match handed_on.filter(|_| steps > 0) {
        Some(from) => defining(&[from, &rest[1..]].concat(), files, index, steps - 1),
        None => Some(at),
    }
}

/// `src/web/mod.rs`, `src/web.rs` and `src/web` are the module `web`.
fn module_of(file: &str) -> Path {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    match path {
        "lib" | "mod" => Path::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

fn read(source: &Source, modules: &BTreeSet<Path>) -> File {
    let code = source.code();
    let words = words(code.split("#[cfg(test)]\nmod ").next().unwrap_or_default());
    let module = module_of(&source.path);
    let mut file = File { name: source.path.clone(), module, imports: BTreeMap::new(), used: Vec::new() };
    let (mut at, mut paths) = (0, Vec::new());
    while at < words.len() {
        if words[at] == "use" {
            let is_public = at > 0 && matches!(words[at - 1], "pub" | ")");
            let mut imports = Vec::new();
            at = use_tree(&words, at + 1, &[], &mut imports);
            imports.into_iter().for_each(|(path, name)| file.import(&path, name, is_public, modules));
        } else {
            let length = path_length(&words[at..]);
            if length > 1 {
                paths.push(
                    words[at..at + length].iter().step_by(2).map(|it| (*it).to_owned()).collect::<Path>(),
                );
            }
            at += length.max(1);
        }
    }
    let used: Vec<Path> = paths.iter().filter_map(|path| file.absolute(path, modules)).collect();
    file.used.extend(used);
    file
}

impl File {
    /// Adds an import. `None` is a glob import of a module's items.
    fn import(&mut self, path: &[String], name: Option<String>, is_public: bool, modules: &BTreeSet<Path>) {
        let Some(path) = self.absolute(path, modules) else { return };
        if !is_public && (name.is_none() || !modules.contains(&path)) {
            self.used.push(path.clone());
        }
        self.imports.extend(name.map(|name| (name, path)));
    }

    /// Returns the path from the crate's root, or `None` if it leads out of the crate.
    fn absolute(&self, path: &[String], modules: &BTreeSet<Path>) -> Option<Path> {
        let (first, rest) = path.split_first()?;
        let child = [self.module.as_slice(), std::slice::from_ref(first)].concat();
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([&self.module, rest].concat()),
            "super" => {
                let ups = path.iter().take_while(|it| *it == "super").count();
                let stays = self.module.len().checked_sub(ups)?;
                Some([&self.module[..stays], &path[ups..]].concat())
            }
            name => match self.imports.get(name) {
                Some(import) => Some([import, rest].concat()),
                None => modules.contains(&child).then(|| [&child, rest].concat()),
            },
        }
    }
}

/// Parses `a::{b, c as d, e::*};` starting at `at`: adds each path with its name, and returns the end.
fn use_tree(
    words: &[&str],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<(Path, Option<String>)>,
) -> usize {
    let (mut path, mut name) = (prefix.to_vec(), None);
    loop {
        match words[at] {
            "::" => {}
            "{" => {
                while words[at] != "}" {
                    at = use_tree(words, at + 1, &path, found);
                }
                return at + 1;
            }
            "*" => {
                found.push((path, None));
                return at + 1;
            }
            "as" => {
                name = Some(words[at + 1].to_owned());
                at += 1;
            }
            "self" if path.len() > prefix.len() || !prefix.is_empty() => {}
            "," | "}" | ";" if path.is_empty() => return at,
            "," | "}" | ";" => {
                name = name.or_else(|| path.last().cloned());
                found.push((path, name));
                return at;
            }
            word => path.push(word.to_owned()),
        }
        at += 1;
    }
}

/// Returns the number of words in one path, like `a::b::c`.
fn path_length(words: &[&str]) -> usize {
    let is_name = |word: &&str| word.starts_with(|it: char| it.is_alphabetic() || it == '_');
    if !words.first().is_some_and(is_name) {
        return 0;
    }
    let more = words[1..].chunks_exact(2).take_while(|pair| pair[0] == "::" && is_name(&pair[1]));
    1 + 2 * more.count()
}

/// Splits code into names, `::`, and single characters.
fn words(code: &str) -> Vec<&str> {
    let is_word = |it: char| it.is_alphanumeric() || it == '_';
    let (mut words, mut rest) = (Vec::new(), code.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = match first {
            it if is_word(it) => rest.find(|it| !is_word(it)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            it => it.len_utf8(),
        };
        words.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        circles(&files.iter().map(|(path, text)| Source::new(path, text)).collect::<Vec<_>>())
    }

    #[test]
    fn import_cycles_are_detected() {
        for (one, other) in [
            ("use crate::b::B;", "use super::a::A;"),
            ("use crate::{b::{self, B}};", "fn b() -> crate::a::A {}"),
            ("use super::b;\nfn a() { b::b() }", "use crate::a::*;"),
            ("use crate::faces::B;", "use crate::faces as f;\nfn b(_: f::A) {}"),
        ] {
            let faces = ("src/faces.rs", "pub use crate::a::A;\npub(crate) use super::b::{B, C as D};");
            let files = [("src/a.rs", one), ("src/b.rs", other), faces];
            assert_eq!(found(&files), [["src/a.rs", "src/b.rs"]], "{one} {other}");
        }
        let three = [
            ("src/a.rs", "use crate::b::B;"),
            ("src/b.rs", "use crate::c::C;"),
            ("src/c/mod.rs", "use crate::a::A;"),
        ];
        assert_eq!(found(&three), [["src/a.rs", "src/b.rs", "src/c/mod.rs"]]);
    }

    #[test]
    fn code_without_circles_passes() {
        for (one, other) in [
            ("use crate::b::B;", "// use crate::a::A;"),
            ("use crate::b::B;", "#[cfg(test)]\nmod tests {\n use crate::a::A;\n}"),
            ("use crate::b::B;", "use actix::a::A;"),
            ("use crate::b;", "use crate::a;"),
        ] {
            assert!(found(&[("src/a.rs", one), ("src/b.rs", other)]).is_empty(), "{one} {other}");
        }
        // A module may use its parent.
        let part = [("src/a/mod.rs", "mod b;\nuse b::B;"), ("src/a/b.rs", "use super::A;")];
        assert!(found(&part).is_empty());
    }
}
