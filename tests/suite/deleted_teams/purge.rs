//! The job removes all data of the team and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use gatepost::domain::Error;
use gatepost::domain::access::plans::Plan;
use gatepost::domain::mailroom::address::LocalPart;
use gatepost::domain::mailroom::aliases::{self, NewAlias};
use gatepost::domain::people::teams::{self, TeamName};
use gatepost::domain::people::users;
use gatepost::domain::text::EmailAddress;

use super::filled::{counts, fill};
use super::{assert_sound, delete, run_jobs};
use crate::support::people::Person::{Ada, Dan};
use crate::support::{TestApp, both_engines};

/// Sessions belong to people, and keep their last team.
const NOT_FILLED: [&str; 1] = ["sessions"];

fn left(counts: BTreeMap<String, i64>) -> Vec<(String, i64)> {
    counts.into_iter().filter(|(table, rows)| *rows > 0 && !NOT_FILLED.contains(&&**table)).collect()
}

both_engines! {
    async fn purging_a_team_deletes_only_its_own_data(app: TestApp) {
        let (acme, globex) = (fill(&app, "Acme", Ada, "acme").await, fill(&app, "Globex", Dan, "globex").await);
        let ada = app.as_(Ada).await;
        for (table, rows) in counts(&app, acme.id) {
            assert!(rows > 0 || NOT_FILLED.contains(&&*table), "the test fills no {table}");
        }
        let before = counts(&app, globex.id);
        delete(&ada, "Acme").await.expect(303);
        assert_sound(app.database.url());
        run_jobs(&app).await;
        app.clock.advance(Duration::from_secs(301));
        run_jobs(&app).await;
        // The row of the owner, the addresses on the shared domain, the record of the deletion.
        let kept = [("activity", 1), ("aliases", 2), ("memberships", 1)];
        assert_eq!(left(counts(&app, acme.id)), kept.map(|(table, rows)| (table.to_owned(), rows)));
        let mut after = counts(&app, globex.id);
        // The job of Globex was due and is done.
        after.insert("jobs".into(), 1);
        assert_eq!(after, before);
        assert_eq!(app.count("jobs WHERE kind = 'teams.purge'"), 0, "the second pass must find nothing");
        assert_sound(app.database.url());
        for text in ["bob@acme.customer.test", "by hand", "new@acme.test"] {
            let there = app.database.texts(&format!("SELECT address AS t FROM contacts WHERE address = '{text}'"));
            assert_eq!(there, [""; 0]);
        }
        app.api(&globex.token).get("/api/v1/messages").await.expect(200);
    }

    async fn the_name_is_free_and_the_addresses_are_not(app: TestApp) {
        fill(&app, "Acme", Ada, "acme").await;
        delete(&app.as_(Ada).await, "Acme").await.expect(303);
        run_jobs(&app).await;
        let ada = EmailAddress::parse(Ada.email()).expect("an address");
        let again = app.operate(|tx, actor| {
            let ada = users::find_by_email(tx, &ada)?.ok_or(Error::NotFound)?;
            teams::create_for(tx, actor, &TeamName::parse("Acme")?, Plan::DEFAULT, &ada)
        });
        for (local, is_free) in [("acme", false), ("acme-old", false), ("acme+tag", false), ("acme-new", true)] {
            for team in [again.id, app.team("Globex").id] {
                let new = NewAlias { local: Some(LocalPart::parse(local).expect("a name")), domain: None, note: None };
                let actor = app.app.operator();
                let created = app.app.write_now(|tx| aliases::create(tx, &actor, team, "gatepost.localhost", &new));
                match created {
                    Ok(_) => assert!(is_free, "{local}"),
                    Err(Error::Conflict(_)) => assert!(!is_free || team != again.id, "{local}"),
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
        let ada = app.as_(Ada).await;
        assert_eq!(ada.get("/settings").await.expect(200).page().attribute("#team", "value").as_deref(), Some("Acme"));
    }

    /// A call that is flushed late, a message, and an alias.
    async fn later_passes_remove_what_comes_late(app: TestApp) {
        let acme = fill(&app, "Acme", Ada, "acme").await;
        delete(&app.as_(Ada).await, "Acme").await.expect(303);
        run_jobs(&app).await;
        let digits = acme.id.to_string().replace("team_", "");
        let team = format!("(SELECT id FROM teams WHERE {} = '{digits}')", app.database.hex("id"));
        for late in [
            "INSERT INTO activity (team_id, id, at, kind, actor_kind) SELECT id, id, 1, 'api.request', 'token' FROM teams WHERE id =",
            "INSERT INTO aliases (id, team_id, domain_name, local, local_key, enabled, created_at, created_by_label, received, denied)
             SELECT id, id, 'gatepost.localhost', 'late', 'late', TRUE, 1, 'x', 0, 0 FROM teams WHERE id =",
        ] {
            assert_eq!(app.database.execute(&format!("{late} {team}")), Ok(1));
        }
        assert!(app.route("late@gatepost.localhost").await.is_ok());
        app.clock.advance(Duration::from_secs(301));
        run_jobs(&app).await;
        assert!(app.route("late@gatepost.localhost").await.is_err());
        assert_eq!(left(counts(&app, acme.id)), [("activity", 1), ("aliases", 3), ("memberships", 1)].map(|(t, n)| (t.to_owned(), n)));
        assert_eq!(app.count("jobs WHERE kind = 'teams.purge'"), 1, "a pass that finds rows must be followed by another");
        app.clock.advance(Duration::from_secs(3601));
        run_jobs(&app).await;
        assert_eq!(app.count("jobs WHERE kind = 'teams.purge'"), 0);
    }

    async fn only_the_activity_of_a_deleted_team_can_be_deleted(app: TestApp) {
        fill(&app, "Acme", Ada, "acme").await;
        let others = "DELETE FROM activity WHERE kind = 'token.created'";
        assert!(app.database.execute(others).is_err());
        delete(&app.as_(Ada).await, "Acme").await.expect(303);
        assert!(app.database.execute("DELETE FROM activity WHERE kind = 'team.deleted'").is_err());
        let founded = "DELETE FROM activity WHERE kind = 'team.founded' AND team_id IN (SELECT id FROM teams WHERE deleted_at IS";
        assert!(app.database.execute(&format!("{founded} NULL)")).is_err());
        assert_eq!(app.database.execute(&format!("{founded} NOT NULL)")), Ok(1));
    }
}
