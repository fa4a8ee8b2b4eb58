//! Whom an address leads to.

use gatepost::domain::mailroom::aliases;
use gatepost::domain::mailroom::receive::{Unroutable, Way};

use crate::support::{TestApp, both_engines};

both_engines! {
    async fn an_alias_takes_its_address_however_it_is_spelled(app: TestApp) {
        let alias = app.alias("Acme", "Hello");
        for (address, way) in [
            ("hello@gatepost.localhost", Way::Exact),
            ("HELLO@GatePost.LocalHost", Way::Exact),
            ("hello+invoices@gatepost.localhost", Way::Tag),
            ("hello+a+b@gatepost.localhost", Way::Tag),
        ] {
            let found = app.route(address).await.expect(address);
            assert_eq!((found.alias, found.way, found.address.as_str()), (alias.id, way, address));
        }
        let exact = app.alias("Acme", "hello+invoices");
        assert_eq!(app.route("hello+Invoices@gatepost.localhost").await.expect("an alias").alias, exact.id);
        for nobody in ["hell@gatepost.localhost", "+hello@gatepost.localhost", "hello@elsewhere.test", "hello", "", "@"] {
            assert_eq!(app.route(nobody).await, Err(Unroutable::Unknown), "{nobody}");
        }
    }

    async fn what_is_switched_off_or_deleted_takes_nothing(app: TestApp) {
        let (team, alias) = (app.team("Acme").id, app.alias("Acme", "hello"));
        let to = "hello+tag@gatepost.localhost";
        // It is not remembered past a change.
        assert_eq!(app.route(to).await.expect("an alias").alias, alias.id);
        app.operate(|tx, actor| aliases::change(tx, actor, team, alias.id, None, false));
        assert_eq!(app.route(to).await, Err(Unroutable::Disabled));
        app.operate(|tx, actor| aliases::change(tx, actor, team, alias.id, None, true));
        assert!(app.route(to).await.is_ok());
        app.operate(|tx, actor| aliases::delete(tx, actor, team, alias.id));
        assert_eq!(app.route(to).await, Err(Unroutable::Deleted));
    }

    async fn postmaster_of_the_shared_domain_is_the_oldest_teams(app: TestApp) {
        let found = app.route("PostMaster@gatepost.localhost").await.expect("a postmaster");
        assert_eq!((found.team, found.way), (app.team("Acme").id, Way::Postmaster));
        assert_eq!(app.route("postmaster@gatepost.localhost").await.expect("the same").alias, found.alias);
        assert_eq!(app.count("aliases"), 1);
    }
}

/// Somebody may ask for any number of domains, and writing takes turns.
#[tokio::test]
async fn a_postmaster_elsewhere_costs_no_write() {
    let app = TestApp::sqlite().await;
    let _lock = app.database.lock();
    assert_eq!(app.route("postmaster@elsewhere.test").await, Err(Unroutable::Unknown));
}

#[tokio::test]
async fn before_there_is_a_team_nobody_is_postmaster() {
    for app in TestApp::both_empty() {
        assert_eq!(app.route("postmaster@gatepost.localhost").await, Err(Unroutable::Unknown));
    }
}
