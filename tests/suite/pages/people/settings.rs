use crate::support::people::Person::{Ada, Bea, Cy, Dan};
use crate::support::{TestApp, both_engines};

both_engines! {
    async fn the_owner_renames_the_team(app: TestApp) {
        app.switch_api("Acme", true);
        let (ada, cy, token) = (app.as_(Ada).await, app.as_(Cy).await, app.token_of(Ada, "ci"));
        let name = async || app.api(&token).get("/api/v1/team").await.json()["name"].clone();
        assert_eq!(name().await, "Acme");
        let page = ada.get("/settings").await.expect(200).page();
        assert_eq!(page.attribute("#team", "value").as_deref(), Some("Acme"));
        let renamed = ada.post("/settings/name", &[("team", " Acme Mail ")]).await.expect(303);
        assert_eq!((renamed.location(), renamed.notice().as_str()), ("/settings", "team-renamed"));
        assert_eq!(name().await, "Acme Mail", "the API returns the new name at once");
        assert!(cy.get("/settings").await.expect(200).page().whole_text().contains("Acme Mail. Only the owner"));
        let records = app.database.texts("SELECT subject || detail AS t FROM activity WHERE kind = 'team.renamed'");
        assert_eq!(records, ["Acme Mail{\"from\":\"Acme\"}"]);
        let changes = ada.get("/activity?kind=changes").await.expect(200).page().whole_text();
        assert!(changes.contains("renamed the team from “Acme” to “Acme Mail”"), "{changes}");
        let same = ada.post("/settings/name", &[("team", "Acme Mail")]).await.expect(303);
        assert_eq!(same.notice(), "nothing-changed");
        ada.post("/settings/name", &[("team", "ACME MAIL")]).await.expect(303);
        assert_eq!(app.database.texts("SELECT name AS t FROM teams ORDER BY name"), ["ACME MAIL", "Globex"]);
    }

    async fn a_name_that_is_taken_or_missing_is_refused(app: TestApp) {
        let ada = app.as_(Ada).await;
        for (name, status) in [("globex", 409), ("", 422)] {
            let page = ada.post("/settings/name", &[("team", name)]).await.expect(status).page();
            assert!(page.has("#team-error"), "{name}");
            assert_eq!(page.attribute("#team", "value").as_deref(), Some(name));
        }
        for person in [Bea, Cy] {
            app.as_(person).await.post("/settings/name", &[("team", "Hers")]).await.expect(403);
        }
        assert_eq!(app.database.number("SELECT count(*) AS n FROM activity WHERE kind = 'team.renamed'"), 0);
    }

    /// The second one finds the name taken, or violates the unique index.
    async fn concurrent_renames_to_the_same_name_succeed_once(app: TestApp) {
        let (ada, dan) = (app.as_(Ada).await, app.as_(Dan).await);
        let fields = [("team", "Initech")];
        let (one, two) = tokio::join!(ada.post("/settings/name", &fields), dan.post("/settings/name", &fields));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409]);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM teams WHERE name = 'Initech'"), 1);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM activity WHERE kind = 'team.renamed'"), 1);
    }
}
