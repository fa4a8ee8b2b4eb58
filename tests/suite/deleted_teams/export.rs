//! The archive: complete, and without secrets.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::Method;
use serde_json::Value;

use super::filled::{counts, fill};
use crate::support::client::Visitor;
use crate::support::people::Person::{Ada, Bea, Cy, Dan};
use crate::support::{TestApp, both_engines};

type Files = BTreeMap<String, Vec<u8>>;

async fn request(owner: &Visitor, team: &str) -> reqwest::Response {
    let path = format!("/settings/export?team={team}");
    let request = owner.request(Method::POST, &path).header("Sec-Fetch-Site", "same-origin");
    request.form(&[("password", "")]).send().await.expect("a response")
}

async fn export(app: &TestApp, owner: &Visitor, team: &str) -> Files {
    let response = request(owner, &app.team(team).id.to_string()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/gzip");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let name = response.headers()["content-disposition"].to_str().expect("text").to_owned();
    assert_eq!(name, format!("attachment; filename=\"{}-2040-01-02.tar.gz\"", team.to_lowercase()));
    files(&response.bytes().await.expect("a whole file"))
}

fn files(archive: &[u8]) -> Files {
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    let files = archive.entries().expect("an archive").map(|entry| {
        let (mut entry, mut bytes) = (entry.expect("a file"), Vec::new());
        entry.read_to_end(&mut bytes).expect("bytes");
        (entry.path().expect("a name").display().to_string(), bytes)
    });
    files.collect()
}

fn lines(files: &Files, name: &str) -> Vec<Value> {
    let numbered = |path: &str| path == format!("{name}.jsonl") || path.starts_with(&format!("{name}-"));
    let text =
        files.iter().filter(|(path, _)| numbered(path)).map(|(_, bytes)| String::from_utf8_lossy(bytes));
    let text: String = text.collect();
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

both_engines! {
    async fn it_has_every_row_and_every_message(app: TestApp) {
        let acme = fill(&app, "Acme", Ada, "acme").await;
        fill(&app, "Globex", Dan, "globex").await;
        let ada = app.as_(Ada).await;
        app.flush().await;
        let files = export(&app, &ada, "Acme").await;
        let counted = counts(&app, acme.id);
        for (name, table) in [
            ("people", "memberships"),
            ("tokens", "tokens"),
            ("domains", "domains"),
            ("aliases", "aliases"),
            ("contacts", "contacts"),
            ("invitations", "invitations"),
            ("activity", "activity"),
            ("messages", "messages"),
        ] {
            assert_eq!(lines(&files, name).len() as i64, counted[table], "{name}");
        }
        assert_eq!(app.count("activity WHERE kind = 'team.exported' AND actor_kind = 'person'"), 1);
        for message in lines(&files, "messages") {
            let file = &files[message["file"].as_str().expect("a file")];
            let id = message["id"].as_str().expect("an id").replace("msg_", "");
            let raw = app.database.texts(&format!(
                "SELECT {} AS t FROM message_contents c JOIN messages m ON m.seq = c.seq WHERE {} = '{id}'",
                app.database.hex("c.raw"),
                app.database.hex("m.id")
            ));
            let hex: String = file.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(raw, [hex], "the bytes of {message}");
        }
        let emls = files.keys().filter(|path| path.ends_with(".eml")).count();
        assert_eq!(emls as i64, counted["messages"]);
        let about: Value = serde_json::from_slice(&files["about.json"]).expect("JSON");
        assert_eq!((&about["team"]["name"], &about["exportedBy"]), (&"Acme".into(), &Ada.email().into()));
        let all = files.values().map(|bytes| String::from_utf8_lossy(bytes)).collect::<String>().to_lowercase();
        assert!(!all.contains("globex"), "another team's data");
    }

    async fn it_has_no_secret(app: TestApp) {
        let acme = fill(&app, "Acme", Ada, "acme").await;
        let files = export(&app, &app.as_(Ada).await, "Acme").await;
        assert!(acme.secrets.len() > 10);
        for (path, bytes) in &files {
            let text = String::from_utf8_lossy(bytes);
            for secret in &acme.secrets {
                assert!(!text.contains(secret.as_str()), "{path} contains {secret}");
            }
        }
    }

    async fn a_long_list_is_split_into_several_files(app: TestApp) {
        app.switch_api("Acme", true);
        let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4500)
            INSERT INTO contacts (id, team_id, address, address_key, state, received, created_at)
            SELECT BYTES, (SELECT id FROM teams WHERE name = 'Acme'), 'c' || i || '@x.test', 'c' || i || '@x.test',
                'unset', 0, i FROM n";
        let bytes = match app.database.url().starts_with("sqlite") {
            true => "CAST(printf('%016d', i) AS BLOB)",
            false => "convert_to(lpad(CAST(i AS TEXT), 16, '0'), 'UTF8')",
        };
        app.database.execute(&rows.replace("BYTES", bytes)).expect("many contacts");
        let files = export(&app, &app.as_(Ada).await, "Acme").await;
        let parts: Vec<_> = files.keys().filter(|path| path.starts_with("contacts")).collect();
        assert_eq!(parts, ["contacts-2.jsonl", "contacts-3.jsonl", "contacts.jsonl"]);
        let mut addresses: Vec<_> = lines(&files, "contacts").iter().map(|it| it["address"].to_string()).collect();
        addresses.sort();
        addresses.dedup();
        assert_eq!(addresses.len(), 4500);
    }

    async fn only_the_owner_exports_and_with_a_fresh_password(app: TestApp) {
        let (ada, team) = (app.as_(Ada).await, app.team("Acme").id.to_string());
        for person in [Bea, Cy] {
            app.as_(person).await.post("/settings/export", &[]).await.expect(403);
        }
        app.clock.advance(std::time::Duration::from_secs(601));
        let asked = ada.post("/settings/export", &[]).await.expect(403).page();
        assert!(asked.text("h1").contains("Confirm your password"));
        ada.post("/settings/export", &[("password", "wrong horse battery")]).await.expect(403);
        assert_eq!(app.count("activity WHERE kind = 'team.exported'"), 0);
        ada.post("/settings/export", &[("password", crate::support::people::PASSWORD)]).await.expect(200);
        assert_eq!(request(&ada, &team).await.status(), 200);
        assert_eq!(app.count("activity WHERE kind = 'team.exported'"), 2);
    }

    /// The first response is not read, so its export does not finish.
    async fn a_team_is_exported_once_at_a_time(app: TestApp) {
        app.alias("Acme", "hello");
        for number in 0..40 {
            // More than fits into a connection's buffers.
            let letter = format!("From: bob@x.test\nMessage-ID: <{number}@x>\n\n{}", noise(number));
            app.arrives("bob@x.test", "hello@gatepost.localhost", &letter);
        }
        let (ada, team) = (app.as_(Ada).await, app.team("Acme").id.to_string());
        let first = request(&ada, &team).await;
        assert_eq!(first.status(), 200);
        let second = request(&ada, &team).await;
        assert_eq!((second.status().as_u16(), second.headers()["retry-after"].as_bytes()), (503, b"60".as_slice()));
        let whole = files(&first.bytes().await.expect("a whole file"));
        assert_eq!(whole.keys().filter(|path| path.ends_with(".eml")).count(), 40);
        assert_eq!(request(&ada, &team).await.status(), 200);
    }
}

/// 512 kB of lines that hardly compress.
fn noise(seed: u64) -> String {
    let mut state = seed + 1;
    let numbers = std::iter::repeat_with(move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        format!("{:016x}{}", state, if state >> 62 == 0 { "\n" } else { "" })
    });
    numbers.take(32_000).collect()
}
