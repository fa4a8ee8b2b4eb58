//! Architecture rules that the compiler cannot check: the direction of dependencies between the layers,
//! and the size of files and functions.

mod arrows;
mod circles;
pub mod rule;
pub mod source;

use rule::Rule;
use source::{Source, functions, tree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const MAX_FILE: usize = 400;
const MAX_FUNCTION: usize = 60;
const MAX_SCRIPTS: usize = 640;
/// Per 1,000 lines.
const MAX_COMMENTS: usize = 80;

fn rust() -> Vec<Source> {
    tree("src", "rs")
}

#[test]
fn only_the_store_names_the_database() {
    Rule::code_without(
        "the database is named outside src/store",
        r"\b(diesel(_migrations)?|r2d2|libsqlite3_sys|pq_sys)\b",
        &["src/store/"],
    )
    .refuses("src/web/mod.rs", "use diesel::prelude::*;")
    .permits("src/store/mod.rs", "use diesel::prelude::*;")
    .permits("src/web/mod.rs", "// as diesel does\n")
    .holds_for(&rust());
}

#[test]
fn only_web_names_http_and_html() {
    Rule::code_without(
        "actix, askama or htmx is named outside src/web",
        r"\b(actix\w*|askama\w*|htmx)\b",
        &["src/web/"],
    )
    .refuses("src/domain/a.rs", "use actix_web::HttpRequest;")
    .refuses("src/cli.rs", "#[derive(askama::Template)] struct A;")
    .permits("src/web/pages/a.rs", "use askama::Template;")
    .holds_for(&rust());
}

#[test]
fn each_library_is_used_by_one_module() {
    Rule::code_without("SMTP is named outside src/smtp", r"\b(smtp_proto|tokio_rustls)\b", &["src/smtp/"])
        .refuses("src/app/mail.rs", "use smtp_proto::Request;")
        .permits("src/smtp/session.rs", "use smtp_proto::Request;")
        .holds_for(&rust());
    Rule::code_without("the DNS is named outside src/dns", r"\b(hickory\w*|mail_auth)\b", &["src/dns/"])
        .refuses("src/domain/mailroom/domains.rs", "use hickory_resolver::TokioResolver;")
        .permits("src/dns/mod.rs", "use mail_auth::MessageAuthenticator;")
        .holds_for(&rust());
    Rule::code_without("an archive is read outside src/app/backup", r"\btar::", &["src/app/backup/"])
        .refuses("src/cli/backup.rs", "tar::Builder::new(file)")
        .permits("src/app/backup/archive.rs", "tar::Builder::new(file)")
        .holds_for(&rust());
    let reading = &["src/domain/mailroom/"];
    Rule::code_without(
        "mail is read outside src/domain/mailroom",
        r"\b(ammonia|encoding_rs|html_escape|oem_cp)\b",
        reading,
    )
    .refuses("src/web/pages/mailroom/message.rs", "ammonia::clean(html)")
    .permits("src/domain/mailroom/html.rs", "ammonia::clean(html)")
    .holds_for(&rust());
}

#[test]
fn the_gate_knows_no_http() {
    let http = regex::Regex::new(r"\b(http|actix\w*|StatusCode|Http\w+|HeaderMap)\b");
    let http = http.expect("a pattern");
    Rule::new("the gate names HTTP", move |file| {
        if !file.path.starts_with("src/gate") {
            return Vec::new();
        }
        file.findings(&file.code(), &http)
    })
    .refuses("src/gate/verify.rs", "fn a() -> StatusCode { todo!() }")
    .refuses("src/gate.rs", "use http::header;")
    .permits("src/web/a.rs", "fn a() -> StatusCode { todo!() }")
    .holds_for(&rust());
}

/// Interfaces may measure durations. Rules and stored rows must not depend on them.
#[test]
fn domain_and_store_do_not_measure_time() {
    Rule::new("Instant::now in domain or store", |file| {
        let measures = file.path.starts_with("src/domain/") || file.path.starts_with("src/store/");
        if !measures || file.path == "src/domain/clock.rs" {
            return Vec::new();
        }
        file.findings(&file.code(), &regex::Regex::new(r"Instant::now").expect("a pattern"))
    })
    .refuses("src/domain/a.rs", "let start = Instant::now();")
    .permits("src/web/a.rs", "let start = Instant::now();")
    .holds_for(&rust());
}

#[test]
fn migrations_do_not_use_the_databases_clock() {
    Rule::text_without(
        "time is an argument; no row gets its time from the database",
        r"(?i)\bcurrent_timestamp\b|\bnow\(\)|'now'",
    )
    .refuses("migrations/sqlite/a/up.sql", "created BIGINT DEFAULT CURRENT_TIMESTAMP")
    .permits("migrations/sqlite/a/up.sql", "created BIGINT NOT NULL")
    .holds_for(&tree("migrations", "sql"));
}

#[test]
fn files_are_short() {
    Rule::new("a file has outgrown one subject", |file| {
        let lines = file.text.lines().count();
        let long = lines > MAX_FILE;
        long.then(|| format!("{}: {lines} lines", file.path)).into_iter().collect()
    })
    .refuses("src/a.rs", &"\n".repeat(401))
    .permits("src/a.rs", &"\n".repeat(400))
    .holds_for(&rust());
}

#[test]
fn files_have_no_circular_dependencies() {
    let library: Vec<_> = rust().into_iter().filter(|file| file.path != "src/main.rs").collect();
    let found = circles::circles(&library);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn functions_are_short() {
    let body = |lines: usize| format!("fn a() {{\n{}}}\n", "b();\n".repeat(lines));
    Rule::new("a function is longer than a screen", |file| {
        functions(&file.code())
            .into_iter()
            .filter(|(_, _, lines)| *lines > MAX_FUNCTION)
            .map(|(name, at, lines)| format!("{}:{at}: {name}, {lines} lines", file.path))
            .collect()
    })
    .refuses("src/a.rs", &body(59))
    .permits("src/a.rs", &body(58))
    .holds_for(&rust());
}

/// Names and types should explain what the code does, and comments only why.
#[test]
fn comments_are_few() {
    let is_comment = |line: &&str| line.trim_start().starts_with("//");
    let mut folders: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for file in rust() {
        let folder =
            file.path.trim_start_matches("src/").split(['/', '.']).next().expect("a folder").to_owned();
        let (lines, comments) = folders.entry(folder).or_default();
        *lines += file.text.lines().count();
        *comments += file.text.lines().filter(is_comment).count();
    }
    for (folder, (lines, comments)) in folders.into_iter().filter(|(_, (lines, _))| *lines >= 100) {
        let share = comments * 1000 / lines;
        println!("{folder}: {share} comments in 1,000 lines");
        assert!(share <= MAX_COMMENTS, "src/{folder} has {share} comments in 1,000 lines");
    }
}

#[test]
fn pages_have_no_inline_script_or_style() {
    Rule::text_without(
        "the content security policy forbids inline script and style",
        concat!(
            r#"(?i)<[^>]*\s(style|on[a-z]+|hx-on[:a-z-]*)\s*="#,
            r#"|^\s*(style|on[a-z]+|hx-on[:a-z-]*)\s*=\s*["']"#,
            r"|<style\b|<script\b[^>]*>\s*([^\s<]|$)|javascript:",
        ),
    )
    .refuses("templates/a.html", "<p class=\"a\" style=\"color: red\">")
    .refuses("templates/a.html", "<button\n  onclick=\"a()\">")
    .refuses("templates/a.html", "<button onclick='a()'>")
    .refuses("templates/a.html", "<a hx-on:click=\"a()\">")
    .refuses("templates/a.html", "<script>a()</script>")
    .refuses("templates/a.html", "<script type=\"module\">\n")
    .permits("templates/a.html", "<script src=\"/static/a.js\" defer></script>")
    .permits("templates/a.html", "<button aria-pressed=\"true\" data-style=\"a\">")
    .holds_for(&tree("templates", "html"));
}

/// The length of a compressed page would reveal how close a guess is to the secret.
#[test]
fn pages_with_a_secret_are_not_compressed() {
    Rule::new("a page with a one-time secret is sent by html_with_secret", |file| {
        let code = file.code();
        let shows = [".reveal()", "INVITATION.of"].iter().any(|shown| code.contains(shown));
        let is_marked = code.contains("html_with_secret(") || code.contains("{ html_with_secret }");
        let is_page = file.path.starts_with("src/web/pages/");
        if is_page && shows && !is_marked { vec![file.path.clone()] } else { Vec::new() }
    })
    .refuses("src/web/pages/a.rs", "html(StatusCode::OK, &Page { secret: plain.reveal() })")
    .permits("src/web/pages/a.rs", "html_with_secret(StatusCode::OK, &Page { secret: plain.reveal() })")
    .permits("src/web/api/a.rs", "plain.reveal()")
    .holds_for(&rust());
}

#[test]
fn our_scripts_stay_small() {
    let ours: Vec<_> = tree("static", "js").into_iter().filter(is_ours).collect();
    let lines: usize = ours.iter().map(|it| it.text.lines().count()).sum();
    assert!(lines <= MAX_SCRIPTS, "our scripts have {lines} lines");
}

fn is_ours(file: &Source) -> bool {
    !file.path.contains("/vendor/") && !file.path.contains("htmx")
}

#[test]
fn vendored_scripts_are_not_counted_as_ours() {
    assert!(is_ours(&Source::new("static/js/app.js", "")));
    assert!(!is_ours(&Source::new("static/js/htmx.min.js", "")));
    assert!(!is_ours(&Source::new("static/js/vendor/other.js", "")));
}

#[test]
fn every_template_is_used() {
    let templates = tree("templates", "html");
    let unused = unused_templates(&templates, &rust());
    assert!(unused.is_empty(), "nothing uses {unused:?}");
}

#[test]
fn an_unused_template_is_found() {
    let templates = [
        Source::new("templates/team/page.html", r#"{% include "_row.html" %}"#),
        Source::new("templates/team/_row.html", r#"{% include "team/_lost.html" %}"#),
        Source::new("templates/team/_self.html", r#"{% include "_self.html" %}"#),
        Source::new("templates/team/_lost.html", ""),
        Source::new("templates/_row.html", ""),
    ];
    let rust = [Source::new("src/web/a.rs", r#"#[template(path = "team/page.html")]"#)];
    assert_eq!(unused_templates(&templates, &rust), ["templates/team/_self.html", "templates/_row.html"],);
}

/// A template is used if Rust code or another template contains its path, from the root or relative to itself.
fn unused_templates<'a>(templates: &'a [Source], rust: &[Source]) -> Vec<&'a str> {
    let used: BTreeSet<String> = templates
        .iter()
        .chain(rust)
        .flat_map(|user| quoted(&user.text).filter_map(|name| used_by(user, name, templates)))
        .collect();
    templates.iter().map(|it| it.path.as_str()).filter(|it| !used.contains(*it)).collect()
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').filter(|it| it.ends_with(".html"))
}

fn used_by(user: &Source, name: &str, templates: &[Source]) -> Option<String> {
    let beside = user.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    [format!("{beside}/{name}"), format!("templates/{name}")]
        .into_iter()
        .find(|path| templates.iter().any(|it| it.path == *path))
        .filter(|path| *path != user.path)
}

#[test]
fn migrations_come_in_pairs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    assert_eq!(unpaired(&root), Vec::<String>::new());
}

#[test]
fn an_unpaired_migration_is_found() {
    let root = tempfile::tempdir().expect("a folder");
    for file in ["sqlite/1_a/up.sql", "sqlite/1_a/down.sql", "postgres/1_a/up.sql", "sqlite/2_b/up.sql"] {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, "SELECT 1;").expect("a file");
    }
    assert_eq!(
        unpaired(root.path()),
        ["postgres/1_a/down.sql", "postgres/2_b/down.sql", "postgres/2_b/up.sql", "sqlite/2_b/down.sql"],
    );
}

/// Returns the files that are missing for each migration to have both directions on both engines.
fn unpaired(migrations: &Path) -> Vec<String> {
    let engines = ["postgres", "sqlite"];
    let names: BTreeSet<String> = engines.iter().flat_map(|it| folders(&migrations.join(it))).collect();
    assert!(!names.is_empty(), "no migrations under {}", migrations.display());
    let mut missing = Vec::new();
    for engine in engines {
        for name in &names {
            for file in ["down.sql", "up.sql"] {
                let path = format!("{engine}/{name}/{file}");
                let text = fs::read_to_string(migrations.join(&path)).unwrap_or_default();
                if text.trim().is_empty() {
                    missing.push(path);
                }
            }
        }
    }
    missing
}

fn folders(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|it| it.expect("a readable folder"))
        .filter(|it| it.path().is_dir())
        .map(|it| it.file_name().to_string_lossy().into_owned())
        .collect()
}
