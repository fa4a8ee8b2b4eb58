//! A rule with samples that it must refuse or permit.

use super::source::Source;

type Check = Box<dyn Fn(&Source) -> Vec<String>>;

/// The violations of one file. Each rule is tested against a bad sample, so that none passes because it
/// finds nothing.
pub struct Rule {
    what: &'static str,
    check: Check,
}

impl Rule {
    pub fn new(what: &'static str, check: impl Fn(&Source) -> Vec<String> + 'static) -> Self {
        Self { what, check: Box::new(check) }
    }

    /// No code matches the pattern, except files under one of `allowed`.
    pub fn code_without(what: &'static str, pattern: &str, allowed: &'static [&'static str]) -> Self {
        let pattern = regex::Regex::new(pattern).expect("a pattern");
        Self::new(what, move |file| {
            if allowed.iter().any(|it| file.path.starts_with(it)) {
                return Vec::new();
            }
            file.findings(&file.code(), &pattern)
        })
    }

    /// Like [`Self::code_without`], for files that are not Rust.
    pub fn text_without(what: &'static str, pattern: &str) -> Self {
        let pattern = regex::Regex::new(pattern).expect("a pattern");
        Self::new(what, move |file| file.findings(&file.text, &pattern))
    }

    pub fn refuses(self, path: &str, sample: &str) -> Self {
        let found = (self.check)(&Source::new(path, sample));
        assert!(!found.is_empty(), "{}: must be refused: {sample}", self.what);
        self
    }

    pub fn permits(self, path: &str, sample: &str) -> Self {
        let found = (self.check)(&Source::new(path, sample));
        assert!(found.is_empty(), "{}: must be permitted: {found:?}", self.what);
        self
    }

    pub fn holds_for(self, files: &[Source]) {
        let found: Vec<_> = files.iter().flat_map(|file| (self.check)(file)).collect();
        assert!(found.is_empty(), "{}\n  {}", self.what, found.join("\n  "));
    }
}
