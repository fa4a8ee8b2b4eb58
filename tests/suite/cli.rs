//! The command line and its errors, on both engines.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use gatepost::config::{DefaultValue, SETTINGS, Setting};
use gatepost::domain::access::scopes::Scopes;

use crate::support::client::Api;
use crate::support::database::Database;
use crate::support::process::{Finished, Gatepost, taken_address};

/// Runs the test on both engines, each with its own store.
pub fn each_engine(promise: impl Fn(&Gatepost, &Database)) {
    let gatepost = Gatepost::new();
    let database = Database::sqlite(gatepost.data.path());
    promise(&gatepost, &database);
    let database = Database::postgres();
    promise(&Gatepost::new().with("GATEPOST_DATABASE_URL", database.url()), &database);
}

pub const PASSWORD: &str = "correct horse battery\n";

pub fn set_up(gatepost: &Gatepost) {
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], PASSWORD);
}

/// Checks for one sentence on standard error, no output, and no panic.
#[track_caller]
pub fn assert_refused(finished: &Finished, part: &str) {
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert_eq!(finished.stdout, "", "{finished:?}");
    assert!(
        finished.stderr.starts_with("gatepost: ") && finished.stderr.lines().count() == 1,
        "{finished:?}"
    );
    assert!(finished.stderr.contains(part), "{:?} lacks {part:?}", finished.stderr);
}

async fn me(base: &str, token: &str) -> u16 {
    Api::new(base, &[("Authorization", &format!("Bearer {token}"))]).get("/api/v1/me").await.status
}

#[test]
fn an_instance_can_be_set_up_without_a_browser() {
    each_engine(|gatepost, _| {
        set_up(gatepost);
        assert!(gatepost.ok(&["api", "Acme", "on"], "").contains("is now on"));
        let minted = gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "ci"], "");
        let token = minted.trim_end();
        assert_eq!(minted.lines().count(), 1, "only the token is printed");
        assert!(token.starts_with("gp_") && token.len() == 53, "{token}");
        let serving = gatepost.serve();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            assert_eq!(me(&serving.base, token).await, 200);
            gatepost.ok(&["token", "revoke", &token[3..15]], "");
            assert_eq!(me(&serving.base, token).await, 401, "the running server must refuse it at once");
        });
        let ended = serving.terminate();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!ended.stdout.contains("/setup"), "there is an account");
        assert!(!ended.stderr.contains(token), "the log holds a token");
    });
}

#[test]
fn commands_change_the_switch_and_plan_of_a_running_server() {
    each_engine(|gatepost, _| {
        set_up(gatepost);
        gatepost.ok(&["api", "acme", "on"], "");
        let token = gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "ci"], "");
        let serving = gatepost.serve();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        for (command, status) in [
            (["api", "Acme", "off"], 403),
            (["api", "Acme", "on"], 200),
            (["plan", "Acme", "free"], 403),
            (["plan", "Acme", "enterprise"], 200),
        ] {
            gatepost.ok(&command, "");
            assert_eq!(runtime.block_on(me(&serving.base, token.trim_end())), status, "after {command:?}");
        }
    });
}

/// As after their last team was deleted.
#[test]
fn setup_gives_a_person_with_an_account_another_team() {
    each_engine(|gatepost, database| {
        set_up(gatepost);
        let output = gatepost.ok(&["setup", "--team", "Other", "--owner", "ADA@acme.test"], "");
        assert_eq!(output, "Created the team Other (pro plan), owned by ada@acme.test.\n");
        assert_eq!(database.number("SELECT count(*) AS n FROM users"), 1);
        assert_eq!(database.number("SELECT count(*) AS n FROM teams"), 2);
    });
}

#[test]
fn refused_commands_print_one_sentence() {
    each_engine(|gatepost, _| {
        set_up(gatepost);
        let same_team = gatepost.run(&["setup", "--team", " acme ", "--owner", "eve@acme.test"], PASSWORD);
        assert_refused(&same_team, "A team called acme already exists");
        let short = gatepost.run(&["setup", "--team", "Other", "--owner", "eve@acme.test"], "short\n");
        assert_refused(&short, "Use at least 12 characters");
        assert_refused(&gatepost.run(&["api", "Nobody", "on"], ""), "no team called Nobody");
        assert_refused(&gatepost.run(&["plan", "Nobody", "pro"], ""), "no team called Nobody");
        assert_refused(
            &gatepost.run(&["token", "mint", "--team", "Acme", "--name", " "], ""),
            "Enter a token name",
        );
        assert_refused(&gatepost.run(&["token", "revoke", "000000000000"], ""), "no token");
        let unknown = gatepost.run(&["password", "eve@acme.test"], "");
        assert_refused(&unknown, "there is no account for eve@acme.test");
        gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "ci"], "");
        let twice = gatepost.run(&["token", "mint", "--team", "Acme", "--name", "CI"], "");
        assert_refused(&twice, "is already called CI");
        let unknown = gatepost.run(&["plan", "Acme", "gold"], "");
        assert_eq!(unknown.code, Some(2), "{unknown:?}");
    });
}

#[test]
fn a_token_is_created_with_the_given_scopes() {
    each_engine(|gatepost, database| {
        set_up(gatepost);
        let mint = ["token", "mint", "--team", "Acme", "--name"];
        let reads = &*Scopes::READ.to_string();
        for (name, scopes, kept) in [
            ("none named", &[][..], reads),
            ("read", &["--scopes", "read"], reads),
            ("list", &["--scopes", "team:read,aliases:write"], "aliases:write team:read"),
            ("all", &["--scopes", "all"], ""),
        ] {
            gatepost.ok(&[&mint, &[name][..], scopes].concat(), "");
            let there = format!(
                "SELECT COUNT(*) AS n FROM tokens WHERE name = '{name}' AND COALESCE(scopes, '') = '{kept}'"
            );
            assert_eq!(database.number(&there), 1, "{name}");
        }
        let unknown = gatepost.run(&[&mint, &["odd", "--scopes", "aliases"][..]].concat(), "");
        assert_eq!(unknown.code, Some(2), "{unknown:?}");
        assert!(unknown.stderr.contains("Unknown scope \"aliases\""), "{unknown:?}");
    });
}

#[test]
fn a_revoked_token_is_not_revoked_twice() {
    let gatepost = Gatepost::new();
    set_up(&gatepost);
    let token = gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "ci"], "");
    gatepost.ok(&["token", "revoke", &token[..15]], "");
    assert_refused(&gatepost.run(&["token", "revoke", &token[3..15]], ""), "already revoked");
    assert_refused(&gatepost.run(&["token", "revoke", token.trim_end()], ""), "never the whole token");
}

#[test]
fn a_token_is_revoked_by_the_start_of_its_public_id() {
    each_engine(|gatepost, database| {
        set_up(gatepost);
        let mint = |name| gatepost.ok(&["token", "mint", "--team", "Acme", "--name", name], "");
        let revoke = |start: &str| gatepost.run(&["token", "revoke", start], "");
        for (name, shown) in [("bare", 3..11), ("with its prefix", 0..11), ("whole id", 3..15)] {
            let token = mint(name);
            let revoked = revoke(&format!("{}…", &token[shown]));
            assert!(revoked.stdout.contains(name), "{revoked:?}");
            let active =
                format!("SELECT count(*) AS n FROM tokens WHERE name = '{name}' AND revoked_at IS NULL");
            assert_eq!(database.number(&active), 0, "{name}");
        }
        for (name, id) in [("one", "AbCdEfGh0001"), ("two", "AbCdEfGh0002"), ("other", "abcdefgh0003")] {
            mint(name);
            let change = format!("UPDATE tokens SET public_id = '{id}' WHERE name = '{name}'");
            database.execute(&change).expect("another id");
        }
        let ambiguous = revoke("gp_AbCdEfGh");
        assert_refused(&ambiguous, "several tokens start with AbCdEfGh");
        assert!(ambiguous.stderr.contains("AbCdEfGh0001 (one of Acme, active)"), "{ambiguous:?}");
        assert!(!ambiguous.stderr.contains("abcdefgh"), "{ambiguous:?}");
        assert!(revoke("AbCdEfGh0002").stdout.contains("two"));
        assert!(revoke("abcdefgh").stdout.contains("other"));
        assert_refused(&revoke("AbCdEfG"), "8 characters");
    });
}

#[test]
fn a_port_in_use_is_reported_with_its_setting() {
    for (name, remedy) in [
        ("GATEPOST_LISTEN", "set GATEPOST_LISTEN to another port"),
        ("GATEPOST_SMTP_LISTEN", "set GATEPOST_SMTP_LISTEN to another port or to off"),
        ("GATEPOST_LMTP_LISTEN", "set GATEPOST_LMTP_LISTEN to another port or to off"),
        ("GATEPOST_METRICS_LISTEN", "set GATEPOST_METRICS_LISTEN to another port"),
    ] {
        let (_held, taken) = taken_address();
        let refused = Gatepost::new().with(name, &taken).run(&["serve"], "");
        assert_refused(&refused, &taken);
        assert!(refused.stderr.contains("perhaps by another Gatepost"), "{refused:?}");
        assert!(refused.stderr.contains(remedy), "{refused:?}");
    }
}

#[test]
fn a_second_server_with_the_same_file_is_refused() {
    let gatepost = Gatepost::new();
    set_up(&gatepost);
    let first = gatepost.serve();
    let second = || gatepost.run(&["serve"], "");
    assert_refused(&second(), "another Gatepost server uses this store");
    gatepost.ok(&["api", "Acme", "on"], "");
    assert_refused(&second(), "use Postgres to run several servers");
    // The system releases the lock, however the process ends.
    first.kill();
    let next = gatepost.serve();
    assert_refused(&second(), "another Gatepost");
    assert_eq!(next.terminate().code, Some(0));
    assert_eq!(gatepost.serve().terminate().code, Some(0));
}

#[test]
fn the_setup_link_is_printed_last() {
    let serving = Gatepost::new().serve();
    let address = serving.setup_address();
    let printed = serving.terminate().stdout;
    let (before, hint) = printed.split_once("\n\n").expect("a hint after an empty line");
    assert!(before.contains("Listening on ") && !before.contains("/setup"), "{printed}");
    assert!(hint.contains(&address) && hint.contains("gatepost setup --team"), "{printed}");
}

#[test]
fn a_forgotten_password_can_be_replaced() {
    each_engine(|gatepost, _| {
        set_up(gatepost);
        let serving = gatepost.serve();
        gatepost.ok(&["password", "ada@acme.test"], "another horse battery\n");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let visitor = crate::support::client::Visitor::new(&serving.base);
            visitor.sign_in("ada@acme.test", PASSWORD.trim_end()).await.expect(422);
            visitor.sign_in("ada@acme.test", "another horse battery").await.expect(303);
        });
    });
}

#[test]
fn a_failed_start_prints_one_sentence() {
    let (_held, taken) = taken_address();
    let start = |name: &str, value: &str| Gatepost::new().with(name, value).run(&["serve"], "");
    assert_refused(&start("GATEPOST_LISTEN", &taken), &taken);
    assert_refused(&start("GATEPOST_LISTEN", "nowhere"), "GATEPOST_LISTEN");
    assert_refused(&start("GATEPOST_DATA", "/proc/nowhere"), "GATEPOST_DATA");
    assert_refused(&start("GATEPOST_DATABASE_URL", "mysql://localhost/x"), "GATEPOST_DATABASE_URL");
    assert_refused(&start("GATEPOST_DATABASE_URL", "postgres://x@127.0.0.1:1/x"), "unreachable");
    assert_refused(&start("GATEPOST_DATABASE_URL", "sqlite:/proc/nowhere/x.db"), "unreachable");
    assert_refused(&start("GATEPOST_SECRET_KEY", "abc"), "GATEPOST_SECRET_KEY");
    assert_refused(&start("GATEPOST_TYPO", "1"), "GATEPOST_TYPO");
    assert_refused(&start("GATEPOST_LOG", "=/="), "GATEPOST_LOG");
}

#[test]
fn unusual_environments_cause_no_panic() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let gatepost = Gatepost::new();
    set_up(&gatepost);
    let odd = OsStr::from_bytes(b"\xff");
    let run = |name: &str, line: &str| {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &format!("exec {} {line}", env!("CARGO_BIN_EXE_gatepost"))]);
        let output =
            shell.env("GATEPOST_DATA", gatepost.data.path()).env(name, odd).output().expect("a shell");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(run("FOO", "plan Acme pro").0, Some(0));
    let (code, said) = run("GATEPOST_LOG", "plan Acme pro");
    assert!(code == Some(1) && said.contains("GATEPOST_LOG") && said.lines().count() == 1, "{said}");
    let (code, said) = run("FOO", "token mint --team Acme --name ci >/dev/full");
    assert!(code == Some(1) && said.contains("gatepost token revoke "), "{said}");
    let revoke = said.rsplit(' ').next().expect("a public id").trim();
    gatepost.ok(&["token", "revoke", revoke], "");
}

#[test]
fn a_store_of_a_newer_version_is_not_opened() {
    each_engine(|gatepost, database| {
        set_up(gatepost);
        let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')";
        database.execute(newer).expect("a row");
        assert_refused(&gatepost.run(&["serve"], ""), "newer Gatepost");
    });
}

#[test]
fn a_different_secret_key_is_refused() {
    let gatepost = Gatepost::new();
    set_up(&gatepost);
    let other = gatepost.with("GATEPOST_SECRET_KEY", &"ab".repeat(32));
    assert_refused(&other.run(&["serve"], ""), "secret key");
}

#[test]
fn stored_files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let gatepost = Gatepost::new();
    set_up(&gatepost);
    let _server = gatepost.serve();
    let files = std::fs::read_dir(gatepost.data.path()).expect("a folder").map(|file| file.expect("a file"));
    let modes: BTreeMap<_, _> = files
        .map(|file| (file.file_name(), file.metadata().expect("a file").permissions().mode() & 0o777))
        .collect();
    let kept = ["secret.key", "gatepost.db", "gatepost.db-wal", "gatepost.db-calls", "gatepost.db-calls-wal"];
    assert!(kept.iter().all(|name| modes.contains_key(OsStr::new(name))), "{modes:?}");
    assert!(modes.values().all(|&mode| mode == 0o600), "{modes:?}");
}

#[test]
fn help_and_docs_describe_all_settings() {
    let help = Gatepost::new().ok(&["--help"], "");
    let mut table = String::from("| environment | default | meaning |\n|---|---|---|\n");
    for Setting { name, default, meaning, .. } in SETTINGS {
        let default = match default {
            DefaultValue::Value(value) => format!("`{value}`"),
            DefaultValue::Described(words) => (*words).to_owned(),
        };
        table.push_str(&format!("| `{name}` | {default} | {meaning} |\n"));
        let shown = format!("{name}\n          {meaning} [default: {default}]").replace('`', "");
        assert!(help.contains(&shown), "--help does not show {shown}");
    }
    let page = std::fs::read_to_string("docs/settings.md").expect("the settings' page");
    assert!(page.contains(&table), "docs/settings.md should contain this table:\n{table}");
}

#[test]
fn the_demo_serves_a_sample_team() {
    let demo = Gatepost::new().start(&["demo"]);
    let printed = demo.wait_for("Everything is deleted");
    let words: Vec<&str> = printed.split_whitespace().collect();
    let token = words.iter().find(|it| it.starts_with("gp_")).expect("a token").trim_end_matches('"');
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        assert_eq!(me(&demo.base, token).await, 200);
        let visitor = crate::support::client::Visitor::new(&demo.base);
        visitor.sign_in("ada@acme.test", PASSWORD.trim_end()).await.expect(303);
        let page = visitor.get("/developer").await.expect(200);
        assert!(page.body.contains("CRM integration"));
        let revoked = visitor.get("/developer?state=revoked").await.expect(200);
        assert!(revoked.body.contains("the website moved"));
        demo.wait_for("3 messages arrived by SMTP");
        let inbox = visitor.get("/inbox").await.expect(200).body;
        for subject in ["anvil is missing", "Visiting next week?", "Invoice 2026-118"] {
            assert!(inbox.contains(subject), "{subject}");
        }
        let found = visitor.get("/inbox?q=harvest").await.expect(200).body;
        assert!(found.contains("新茶"), "a message from eleven days ago");
    });
    let ended = demo.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
