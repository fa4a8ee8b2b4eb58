use super::people_with;
use crate::support::people::PASSWORD;
use crate::support::people::Person::{self, Ada, Bea, Cy, Dan, Eve};
use crate::support::{TestApp, both_engines};
use futures_util::future::join_all;
use gatepost::domain::access::plans::Plan;
use std::time::Duration;

const KEEP: [(&str, &str); 1] = [("tokens", "keep")];
const REVOKE: [(&str, &str); 1] = [("tokens", "revoke")];

async fn api_status(app: &TestApp, token: &str) -> u16 {
    app.api(token).get("/api/v1/me").await.status
}

fn to(person: Person, app: &TestApp) -> Vec<(&'static str, String)> {
    let named = |name, value: &str| (name, value.to_owned());
    vec![("to", app.user(person).id.to_string()), named("name", "acme "), named("password", PASSWORD)]
}

fn borrowed<'a>(fields: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

both_engines! {
    async fn members_see_people_and_can_leave(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.invite(&ada, Eve.email(), "member").await;
        let cy = app.as_(Cy).await;
        let page = cy.get("/team").await.expect(200);
        assert_eq!(people_with("Owner", &page), ["Ada ada@acme.test"]);
        assert_eq!(people_with("Admin", &page), ["Bea bea@acme.test"]);
        assert_eq!(people_with("Member", &page), ["Cy (you) cy@acme.test"]);
        assert!(!page.body.contains(Eve.email()), "members must not see invitations");
        assert_eq!(page.page().texts("main form").len(), 0);
        let settings = cy.get("/settings").await.expect(200).page();
        assert_eq!(settings.link("Leave team"), app.person_path(Cy, "remove"));
        assert!(!settings.has("main form") && !settings.has("a[href='/team/transfer']"));
    }

    async fn each_person_was_last_seen_at_their_last_page_even_after_they_signed_out(app: TestApp) {
        let (ada, cy) = (app.as_(Ada).await, app.as_(Cy).await);
        let seen = async || {
            let rows = ada.get("/team").await.expect(200).page().texts("#list-people tbody tr");
            let times = ["Ada", "Bea", "Cy"].map(|name| rows.iter().find(|row| row.contains(name)).expect(name).clone());
            times.map(|row| row.contains("Never"))
        };
        assert_eq!(seen().await, [false, true, false], "Bea has not signed in");
        app.clock.advance(Duration::from_secs(3600));
        let before = app.database.number("SELECT MAX(last_seen_at) AS n FROM users");
        cy.get("/inbox").await.expect(200);
        let after = app.database.number("SELECT MAX(last_seen_at) AS n FROM users");
        assert_eq!(after - before, 3_600_000_000, "an hour");
        app.clock.advance(Duration::from_secs(1));
        cy.get("/inbox").await.expect(200);
        assert_eq!(app.database.number("SELECT MAX(last_seen_at) AS n FROM users"), after, "once a minute");
        cy.post("/sign-out", &[]).await.expect(303);
        assert_eq!(seen().await, [false, true, false], "it outlives the session");
    }

    async fn only_the_owner_changes_roles(app: TestApp) {
        let role = app.person_path(Cy, "role");
        let (ada, bea, cy) = (app.as_(Ada).await, app.as_(Bea).await, app.as_(Cy).await);
        bea.post(&role, &[("role", "admin")]).await.expect(403);
        cy.post(&role, &[("role", "admin")]).await.expect(403);
        ada.post(&role, &[("role", "owner")]).await.expect(400);
        ada.post(&app.person_path(Ada, "role"), &[("role", "member")]).await.expect(409);
        let page = ada.post_and_follow(&role, &[("role", "admin")]).await.expect(200);
        assert_eq!(people_with("Admin", &page).len(), 2);
        app.invite(&cy, Eve.email(), "member").await;
        let same = ada.post(&role, &[("role", "admin")]).await.expect(303);
        assert_eq!((same.location(), same.notice().as_str()), ("/team", "nothing-changed"));
    }

    async fn people_of_another_team_do_not_exist(app: TestApp) {
        let ada = app.as_(Ada).await;
        ada.post(&app.person_path(Dan, "role"), &[("role", "admin")]).await.expect(404);
        ada.get(&app.person_path(Dan, "role")).await.expect(404);
        ada.get(&app.person_path(Dan, "remove")).await.expect(404);
        ada.post(&app.person_path(Dan, "remove"), &KEEP).await.expect(404);
        ada.post("/team/people/usr_1/remove", &KEEP).await.expect(404);
        let fields = to(Dan, &app);
        ada.post("/team/transfer", &borrowed(&fields)).await.expect(404);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM memberships"), 4);
    }

    async fn a_transfer_leaves_exactly_one_owner(app: TestApp) {
        let (ada, bea, cy) = (app.as_(Ada).await, app.as_(Bea).await, app.as_(Cy).await);
        let fields = to(Cy, &app);
        bea.post("/team/transfer", &borrowed(&fields)).await.expect(403);
        let page = ada.post_and_follow("/team/transfer", &borrowed(&fields)).await.expect(200);
        assert_eq!(people_with("Owner", &page), ["Cy cy@acme.test"]);
        assert_eq!(people_with("Admin", &page), ["Ada (you) ada@acme.test", "Bea bea@acme.test"]);
        ada.post("/team/transfer", &borrowed(&fields)).await.expect(403);
        cy.post("/team/transfer", &borrowed(&fields)).await.expect(409);
        let back = to(Ada, &app);
        cy.post("/team/transfer", &borrowed(&back)).await.expect(303);
    }

    async fn a_transfer_always_asks_for_the_password(app: TestApp) {
        let ada = app.as_(Ada).await;
        let fields = to(Bea, &app);
        let mut fields = borrowed(&fields);
        let asked = ada.post("/team/transfer", &fields[..2]).await.expect(403).page().form("/team/transfer");
        assert_eq!(asked.fields["to"], fields[0].1);
        assert_eq!(asked.fields["name"], fields[1].1);
        fields[2].1 = "a wrong one, sadly";
        ada.post("/team/transfer", &fields).await.expect(403);
        assert_eq!(people_with("Owner", &ada.get("/team").await), ["Ada (you) ada@acme.test"]);
        fields[2].1 = PASSWORD;
        ada.post("/team/transfer", &fields).await.expect(303);
        assert_eq!(people_with("Owner", &ada.get("/team").await), ["Bea bea@acme.test"]);
    }

    async fn a_transfer_requires_a_person_and_the_teams_name(app: TestApp) {
        let ada = app.as_(Ada).await;
        let page = ada.get("/team/transfer").await.expect(200).page();
        let choices = page.texts("#to option");
        assert_eq!(choices, ["Choose a person", "Bea", "Cy"], "the owner is not listed");
        let fields = to(Bea, &app);
        let mut fields = borrowed(&fields);
        for wrong in ["", "Globex", "Acme team"] {
            fields[1].1 = wrong;
            let refused = ada.post("/team/transfer", &fields).await.expect(422).page();
            assert_eq!(refused.text("#name-error"), "Type Acme to confirm.");
            assert!(!refused.has("#to-error"));
        }
        fields[0].1 = "";
        assert!(ada.post("/team/transfer", &fields).await.expect(422).page().has("#to-error"));
        assert_eq!(people_with("Owner", &ada.get("/team").await), ["Ada (you) ada@acme.test"]);
        let alone = app.as_(Dan).await.get("/team/transfer").await.expect(200).page();
        assert!(!alone.has("#to") && alone.whole_text().contains("You're the only person on this team."));
    }

    async fn making_someone_an_admin_asks_for_the_password_after_ten_minutes(app: TestApp) {
        let (ada, role) = (app.as_(Ada).await, app.person_path(Cy, "role"));
        app.clock.advance(Duration::from_secs(601));
        let asked = ada.post(&role, &[("role", "admin")]).await.expect(403).page();
        assert_eq!(asked.form(&role).fields["role"], "admin");
        assert!(asked.form(&role).action.contains("?team=team_"), "the form still names its team");
        ada.post(&role, &[("role", "admin"), ("password", "a wrong one, sadly")]).await.expect(403);
        assert_eq!(people_with("Admin", &ada.get("/team").await).len(), 1);
        ada.post(&role, &[("role", "admin"), ("password", PASSWORD)]).await.expect(303);
        assert_eq!(people_with("Admin", &ada.get("/team").await).len(), 2);
    }

    async fn higher_roles_can_remove_lower_ones_but_not_the_owner(app: TestApp) {
        let (ada, bea, cy) = (app.as_(Ada).await, app.as_(Bea).await, app.as_(Cy).await);
        for (who, whom, status) in [
            (&ada, Ada, 409), (&bea, Ada, 409), (&cy, Ada, 409), (&cy, Bea, 403),
        ] {
            let path = app.person_path(whom, "remove");
            who.get(&path).await.expect(status);
            who.post(&path, &KEEP).await.expect(status);
        }
        let fields = to(Cy, &app);
        ada.post(&app.person_path(Cy, "role"), &[("role", "admin")]).await.expect(303);
        bea.post(&app.person_path(Cy, "remove"), &KEEP).await.expect(403);
        ada.post("/team/transfer", &borrowed(&fields)).await.expect(303);
        cy.post(&app.person_path(Ada, "remove"), &KEEP).await.expect(303);
        ada.get("/team").await.expect(403);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM memberships"), 3);
    }

    async fn removing_a_person_keeps_or_revokes_their_tokens(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        let (ci, own) = (app.token_of(Bea, "ci"), app.token_of(Ada, "own"));
        let remove = app.person_path(Bea, "remove");
        let page = ada.get(&remove).await.expect(200).page();
        assert!(page.whole_text().contains("Bea created 1 active token."), "{}", page.whole_text());
        assert_eq!(page.form(&remove).fields["tokens"], "keep");
        let unasked = ada.post(&remove, &[]).await.expect(303);
        assert_eq!(unasked.location(), remove, "asks about the tokens");
        ada.post(&remove, &[("tokens", "burn")]).await.expect(400);
        assert_eq!(api_status(&app, &ci).await, 200);

        ada.post(&remove, &REVOKE).await.expect(303);
        assert_eq!(api_status(&app, &ci).await, 401);
        assert_eq!(api_status(&app, &own).await, 200);
        let why = "SELECT count(*) AS n FROM tokens WHERE revoke_reason = 'bea@acme.test left the team'";
        assert_eq!(app.database.number(why), 1);
    }

    /// Requests write the last use of the rows that the removal revokes.
    async fn removing_a_person_does_not_disturb_api_clients(app: TestApp) {
        app.switch_api("Acme", true);
        app.set_plan("Acme", Plan::Enterprise);
        let ada = app.as_(Ada).await;
        for round in 0..4 {
            let link = (round > 0).then(|| app.invite(&ada, Bea.email(), "admin"));
            if let Some(link) = link {
                app.visitor().post(&link.await, &[("password", PASSWORD)]).await.expect(303);
            }
            let own: Vec<_> = (0..24).map(|number| app.token_of(Bea, &format!("r{round}n{number}"))).collect();
            let other = app.token_of(Ada, &format!("other{round}"));
            let (app, other) = (&app, &other);
            let calls = own.iter().map(|token| async move {
                for _ in 0..12 {
                    for (token, allowed) in [(token, &[200, 401][..]), (other, &[200])] {
                        let status = api_status(app, token).await;
                        assert!(allowed.contains(&status), "round {round}: {status}");
                    }
                }
            });
            let path = app.person_path(Bea, "remove");
            let removed = ada.post(&path, &REVOKE);
            let (_, removed) = tokio::join!(join_all(calls), removed);
            removed.expect(303);
        }
    }

    async fn the_team_key_still_works_after_its_creator_leaves(app: TestApp) {
        app.switch_api("Acme", true);
        let (ada, bea) = (app.as_(Ada).await, app.as_(Bea).await);
        ada.post("/developer/team-key", &[]).await.expect(200);
        let key = bea.post("/developer/team-key/regenerate", &[]).await.expect(200).page().text("#token-value");
        bea.post(&app.person_path(Bea, "remove"), &REVOKE).await.expect(303);
        assert_eq!(api_status(&app, &key).await, 200);
    }

    async fn kept_tokens_belong_to_the_team(app: TestApp) {
        app.switch_api("Acme", true);
        let ci = app.token_of(Bea, "ci");
        let bea = app.as_(Bea).await;
        let left = bea.post(&app.person_path(Bea, "remove"), &KEEP).await.expect(303);
        assert_eq!((left.location(), left.notice().as_str()), ("/inbox", "left"));
        assert_eq!(api_status(&app, &ci).await, 200);
        bea.get("/team").await.expect(403);
    }

    async fn demoting_an_admin_asks_about_their_tokens(app: TestApp) {
        app.switch_api("Acme", true);
        let (ci, ada) = (app.token_of(Bea, "ci"), app.as_(Ada).await);
        let role = app.person_path(Bea, "role");
        let asked = ada.post(&role, &[("role", "member")]).await.expect(303);
        assert_eq!(asked.location(), role);
        let form = ada.get(&role).await.expect(200).page().form(&role);
        assert_eq!((form.fields["role"].as_str(), form.fields["tokens"].as_str()), ("member", "keep"));
        app.as_(Bea).await.get(&role).await.expect(403);
        ada.post(&role, &[("role", "member"), ("tokens", "revoke")]).await.expect(303);
        assert_eq!(api_status(&app, &ci).await, 401);
        ada.get(&role).await.expect(404);
    }

    async fn invitations_end_when_their_sender_leaves(app: TestApp) {
        let (ada, bea) = (app.as_(Ada).await, app.as_(Bea).await);
        let back_door = app.invite(&bea, Eve.email(), "member").await;
        let honest = app.invite(&ada, "fay@nowhere.test", "member").await;
        let page = ada.get(&app.person_path(Bea, "remove")).await.expect(200).page();
        assert!(page.whole_text().contains("1 open invitation"), "{}", page.whole_text());
        ada.post(&app.person_path(Bea, "remove"), &[]).await.expect(303);
        app.visitor().get(&back_door).await.expect(404);
        app.visitor().get(&honest).await.expect(200);
    }

    async fn invitations_end_when_their_sender_may_no_longer_invite(app: TestApp) {
        let (ada, bea) = (app.as_(Ada).await, app.as_(Bea).await);
        let by_bea = app.invite(&bea, Eve.email(), "member").await;
        let admins = app.invite(&ada, "fay@nowhere.test", "admin").await;
        let members = app.invite(&ada, "gus@nowhere.test", "member").await;
        ada.post(&app.person_path(Bea, "role"), &[("role", "member")]).await.expect(303);
        app.visitor().get(&by_bea).await.expect(404);
        let fields = to(Bea, &app);
        ada.post("/team/transfer", &borrowed(&fields)).await.expect(303);
        app.visitor().get(&admins).await.expect(404);
        app.visitor().post(&admins, &[("name", "Fay"), ("password", PASSWORD)]).await.expect(404);
        app.visitor().get(&members).await.expect(200);
        let revoked = "SELECT count(*) AS n FROM activity WHERE kind = 'invitation.revoked'";
        assert_eq!(app.database.number(revoked), 2);
    }

    /// Earlier versions left such links open.
    async fn opening_a_link_checks_its_senders_current_role(app: TestApp) {
        let bea = app.as_(Bea).await;
        let link = app.invite(&bea, Eve.email(), "member").await;
        app.visitor().get(&link).await.expect(200);
        app.database.execute("UPDATE memberships SET role = 'member'").expect("a change");
        app.visitor().get(&link).await.expect(404);
        app.visitor().post(&link, &[("name", "Eve"), ("password", PASSWORD)]).await.expect(404);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM users"), 4);
    }

    async fn removed_people_lose_access_at_once(app: TestApp) {
        let (ada, cy) = (app.as_(Ada).await, app.as_(Cy).await);
        cy.get("/team").await.expect(200);
        ada.post(&app.person_path(Cy, "remove"), &[]).await.expect(303);
        let text = cy.get("/team").await.expect(403).page().whole_text();
        assert!(text.contains("You aren't on a team"), "{text}");
    }
}
