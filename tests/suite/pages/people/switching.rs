use crate::support::client::send;
use crate::support::people::PASSWORD;
use crate::support::people::Person::{Ada, Cy, Dan, Eve};
use crate::support::{TestApp, both_engines};
use reqwest::Method;

async fn current_team(visitor: &crate::support::client::Visitor) -> String {
    visitor.get("/team").await.expect(200).page().text("h1 + .lead")
}

both_engines! {
    async fn a_person_in_two_teams_sees_one_at_a_time(app: TestApp) {
        let (ada, dan) = (app.as_(Ada).await, app.as_(Dan).await);
        let link = app.invite(&ada, Dan.email(), "member").await;
        dan.post(&link, &[]).await.expect(303);
        assert!(current_team(&dan).await.contains("Acme"));
        let globex = app.team("Globex").id.to_string();
        dan.post("/teams/switch", &[("team", &globex)]).await.expect(303);
        assert!(current_team(&dan).await.contains("Globex"));
        assert!(current_team(&dan).await.contains("Globex"));
    }

    async fn people_cannot_switch_to_a_team_they_are_not_in(app: TestApp) {
        let cy = app.as_(Cy).await;
        let globex = app.team("Globex").id.to_string();
        for team in [globex.as_str(), "team_1", ""] {
            cy.post("/teams/switch", &[("team", team)]).await.expect(404);
        }
        assert!(current_team(&cy).await.contains("Acme"));
    }

    async fn a_form_of_another_team_is_refused(app: TestApp) {
        let dan = app.as_(Dan).await;
        let page = dan.get("/developer/tokens/new").await.expect(200).page();
        let globex = app.team("Globex").id;
        let create = format!("/developer/tokens?team={globex}");
        assert!(page.has(&format!("form[action='{create}']")), "the form must name its team");
        let link = app.invite(&app.as_(Ada).await, Dan.email(), "admin").await;
        dan.post(&link, &[]).await.expect(303);
        let refused = dan.post(&create, &[("name", "stray")]).await.expect(409);
        assert!(refused.body.contains("This page belongs to another team."));
        assert_eq!(app.database.number("SELECT count(*) AS n FROM tokens"), 0);
        dan.post("/teams/switch", &[("team", &globex.to_string())]).await.expect(303);
        dan.post(&create, &[("name", "stray")]).await.expect(200);
    }

    /// "Remove" on one team's page must not act on the team of another tab.
    async fn a_button_on_one_teams_page_cannot_act_on_another_team(app: TestApp) {
        let (ada, dan) = (app.as_(Ada).await, app.as_(Dan).await);
        for (team, owner) in [("Acme", &ada), ("Globex", &dan)] {
            let link = app.invite(owner, Eve.email(), "member").await;
            let eve = app.visitor();
            match team {
                "Acme" => eve.post(&link, &[("name", "Eve"), ("password", PASSWORD)]).await.expect(303),
                _ => eve.post(&link, &[("name", ""), ("password", PASSWORD)]).await.expect(303),
            };
        }
        let link = app.invite(&ada, Dan.email(), "admin").await;
        dan.post(&link, &[]).await.expect(303);
        let remove = app.person_path(Eve, "remove");
        let form = dan.get(&remove).await.expect(200).page();
        let action = form.attribute(&format!("form[action^='{remove}']"), "action").expect("a form");
        dan.post("/teams/switch", &[("team", &app.team("Globex").id.to_string())]).await.expect(303);
        dan.post_as_is(&action, &[("tokens", "keep")]).await.expect(409);
        dan.post_as_is(&remove, &[("tokens", "keep")]).await.expect(409);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM memberships"), 7);
        dan.post("/teams/switch", &[("team", &app.team("Acme").id.to_string())]).await.expect(303);
        dan.post_as_is(&action, &[("tokens", "keep")]).await.expect(303);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM memberships"), 6);
    }

    async fn cross_site_requests_change_nothing(app: TestApp) {
        let ada = app.as_(Ada).await;
        let form = [("name", "Mallory")];
        let name = format!("/account/name?team={}", app.team("Acme").id);
        for headers in [
            &[][..],
            &[("Sec-Fetch-Site", "cross-site")],
            &[("Sec-Fetch-Site", "same-site")],
            &[("Origin", "https://evil.test")],
            &[("Origin", "null")],
            &[("Sec-Fetch-Site", "cross-site"), ("Origin", app.base.as_str())],
        ] {
            let request = ada.request(Method::POST, &name).form(&form);
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            send(request).await.expect(403);
        }
        assert_eq!(app.user(Ada).name, "Ada");
        let own = ada.request(Method::POST, &name).header("Origin", &app.base).form(&form);
        send(own).await.expect(303);
        assert_eq!(app.user(Ada).name, "Mallory");
    }
}
