//! Names: equal and refused ones, and rebuilding the keys of earlier versions.

use crate::support::database::Database;
use crate::support::people::Person::Ada;
use crate::support::process::Gatepost;
use crate::support::{TestApp, both_engines};

const COMPOSED: &str = "Caf\u{e9}";
const DECOMPOSED: &str = "Cafe\u{301}";

both_engines! {
    async fn names_that_look_alike_conflict(app: TestApp) {
        let ada = app.as_(Ada).await;
        let create = async |name: &str| ada.post("/developer/tokens", &[("name", name)]).await;
        create(COMPOSED).await.expect(200);
        for alike in [DECOMPOSED, "CAF\u{c9}", "\u{ff23}af\u{e9}", "Ca\u{200d}f\u{e9}"] {
            let page = create(alike).await.expect(409).page();
            assert!(page.text(".error").contains("is already called"), "{alike}");
        }
        for hidden in ["\u{410}cme", "ad\u{202e}min", "ad\u{e0041}min", "\u{200d}"] {
            create(hidden).await.expect(422);
        }
        for good in ["Арсений", "日本語テスト", "العربية", "β-test"] {
            create(good).await.expect(200);
        }
        let contact = async |name: &str| ada.post("/contacts", &[("address", "bob@customer.test"), ("name", name)]).await;
        contact("B\u{43e}b").await.expect(422);
        contact("Боб \u{ff22}ob").await.expect(303);
        let found = ada.get("/contacts?q=bob").await.expect(200).page();
        assert!(found.text("#list").contains("bob@customer.test"));
    }
}

/// Stores names as an earlier version did, with lower case as their key.
fn assert_keys_are_rebuilt(gatepost: &Gatepost, database: &Database) {
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], "correct horse battery\n");
    gatepost.ok(&["api", "Acme", "on"], "");
    for name in ["first", "second", "third"] {
        gatepost.ok(&["token", "mint", "--team", "Acme", "--name", name], "");
    }
    let rename = |from: &str, to: &str| {
        let key = to.to_lowercase();
        let set = format!("UPDATE tokens SET name = '{to}', name_key = '{key}' WHERE name = '{from}'");
        assert_eq!(database.execute(&set), Ok(1), "{from}");
    };
    rename("first", COMPOSED);
    rename("second", DECOMPOSED);
    rename("third", "\u{ff21}rc");
    let team = "UPDATE teams SET name = '\u{ff21}cme', name_key = '\u{ff41}cme'";
    assert_eq!(database.execute(team), Ok(1));
    assert_eq!(database.execute("UPDATE instance SET name_keys = 0"), Ok(1));
    // The name is found by its new key, and the two equal names didn't make the update fail.
    gatepost.ok(&["api", "acme", "on"], "");
    let keys = database.texts("SELECT name_key AS t FROM tokens ORDER BY id");
    assert_eq!(keys, ["caf\u{e9}", "cafe\u{301}", "arc"]);
    assert_eq!(database.texts("SELECT name_key AS t FROM teams"), ["acme"]);
    assert_eq!(database.number("SELECT CAST(name_keys AS BIGINT) AS n FROM instance"), 1);
}

#[test]
fn keys_of_an_earlier_version_are_rebuilt_in_sqlite() {
    let gatepost = Gatepost::new();
    let database = Database::sqlite(gatepost.data.path());
    assert_keys_are_rebuilt(&gatepost, &database);
}

#[test]
fn keys_of_an_earlier_version_are_rebuilt_in_postgres() {
    let database = Database::postgres();
    assert_keys_are_rebuilt(&Gatepost::new().with("GATEPOST_DATABASE_URL", database.url()), &database);
}
