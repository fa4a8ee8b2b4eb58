//! Finding the alias of an address.

use std::sync::Arc;

use gatepost::domain::mailroom::aliases;
use gatepost::domain::mailroom::route::{MatchedBy, Unroutable};

use crate::support::{TestApp, both_engines};

both_engines! {
    async fn an_alias_matches_every_spelling_of_its_address(app: TestApp) {
        let alias = app.alias("Acme", "Hello");
        for (address, way) in [
            ("hello@gatepost.localhost", MatchedBy::Exact),
            ("HELLO@GatePost.LocalHost", MatchedBy::Exact),
            ("hello+invoices@gatepost.localhost", MatchedBy::Tag),
            ("hello+a+b@gatepost.localhost", MatchedBy::Tag),
        ] {
            let found = app.route(address).await.expect(address);
            assert_eq!((found.alias, found.matched_by, found.address.as_str()), (alias.id, way, address));
        }
        let exact = app.alias("Acme", "hello+invoices");
        assert_eq!(app.route("hello+Invoices@gatepost.localhost").await.expect("an alias").alias, exact.id);
        for unknown in ["hell@gatepost.localhost", "+hello@gatepost.localhost", "hello@elsewhere.test", "hello", "", "@"] {
            assert_eq!(app.route(unknown).await, Err(Unroutable::Unknown), "{unknown}");
        }
    }

    async fn a_disabled_or_deleted_alias_gets_no_mail(app: TestApp) {
        let (team, alias) = (app.team("Acme").id, app.alias("Acme", "hello"));
        let to = "hello+tag@gatepost.localhost";
        // A change clears the cache.
        assert_eq!(app.route(to).await.expect("an alias").alias, alias.id);
        app.operate(|tx, actor| aliases::change(tx, actor, team, alias.id, None, false));
        assert_eq!(app.route(to).await, Err(Unroutable::Disabled));
        app.operate(|tx, actor| aliases::change(tx, actor, team, alias.id, None, true));
        assert!(app.route(to).await.is_ok());
        app.operate(|tx, actor| aliases::delete(tx, actor, team, alias.id));
        assert_eq!(app.route(to).await, Err(Unroutable::Deleted));
    }

    async fn postmaster_of_the_shared_domain_belongs_to_the_oldest_team(app: TestApp) {
        let found = app.route("PostMaster@gatepost.localhost").await.expect("a postmaster");
        assert_eq!((found.team, found.matched_by), (app.team("Acme").id, MatchedBy::Postmaster));
        assert_eq!(app.route("postmaster@gatepost.localhost").await.expect("the same").alias, found.alias);
        assert_eq!(app.count("aliases"), 1);
    }

    async fn concurrent_senders_get_the_same_new_postmaster(app: TestApp) {
        let app = Arc::new(app);
        let senders: Vec<_> = (0..16)
            .map(|_| {
                let app = app.clone();
                tokio::spawn(async move { app.app.route_recipient("postmaster@gatepost.localhost").await })
            })
            .collect();
        let mut found = Vec::new();
        for sender in senders {
            found.push(sender.await.expect("an outcome").expect("a store").expect("a postmaster").alias);
        }
        found.dedup();
        assert_eq!((found.len(), app.count("aliases")), (1, 1));
        assert_eq!(app.database.number("SELECT count(*) AS n FROM activity WHERE kind = 'alias.created'"), 1);
    }
}

/// Anyone can try any number of domains, and writers take turns.
#[tokio::test]
async fn a_postmaster_of_an_unknown_domain_costs_no_write() {
    let app = TestApp::sqlite().await;
    let _lock = app.database.lock();
    assert_eq!(app.route("postmaster@elsewhere.test").await, Err(Unroutable::Unknown));
}

#[tokio::test]
async fn without_a_team_there_is_no_postmaster() {
    for app in TestApp::both_empty() {
        assert_eq!(app.route("postmaster@gatepost.localhost").await, Err(Unroutable::Unknown));
    }
}
