use super::cookie;
use crate::support::client::Response;
use crate::support::people::PASSWORD;
use crate::support::people::Person::{Ada, Bea, Cy, Dan, Eve};
use crate::support::{TestApp, both_engines};
use gatepost::domain::people::invitations;
use gatepost::domain::people::roles::MemberRole;
use gatepost::domain::text::EmailAddress;
use reqwest::Method;
use std::time::Duration;

const EVE: [(&str, &str); 2] = [("name", "Eve"), ("password", "quite another battery")];

fn accounts(app: &TestApp) -> i64 {
    app.database.number("SELECT count(*) AS n FROM users")
}

fn memberships(app: &TestApp) -> i64 {
    app.database.number("SELECT count(*) AS n FROM memberships")
}

both_engines! {
    async fn an_invitation_can_be_used_once(app: TestApp) {
        let ada = app.as_(Ada).await;
        let link = app.invite(&ada, Eve.email(), "member").await;

        let eve = app.visitor();
        let page = eve.get(&link).await.expect(200);
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.page().attribute("#email", "value").as_deref(), Some(Eve.email()));
        let long = "x".repeat(81);
        let refused = eve.post(&link, &[("name", &long), ("password", "short")]).await.expect(422).page();
        assert!(refused.has("#name-error") && refused.has("#password-error"));
        assert_eq!(accounts(&app), 4);

        let joined = eve.post(&link, &EVE).await.expect(303);
        assert_eq!((joined.location(), joined.notice().as_str()), ("/inbox", "joined"));
        let team = eve.get("/team").await.expect(200).page();
        assert!(team.whole_text().contains("Eve (you) eve@nowhere.test"));
        app.visitor().sign_in(Eve.email(), EVE[1].1).await.expect(303);

        for gone in [eve.get(&link).await, app.visitor().get(&link).await, app.visitor().post(&link, &EVE).await] {
            let text = gone.expect(404).page().whole_text();
            assert!(text.contains("was used") && text.contains("a new link"), "{text}");
        }
        assert_eq!((accounts(&app), memberships(&app)), (5, 5));
    }

    async fn concurrent_uses_of_a_link_join_once(app: TestApp) {
        let ada = app.as_(Ada).await;
        let known = app.invite(&ada, Dan.email(), "member").await;
        let new = app.invite(&ada, Eve.email(), "member").await;
        for (link, fields) in [(&new, &EVE[..]), (&known, &[("password", PASSWORD)][..])] {
            let (one, two, three) = (app.visitor(), app.visitor(), app.visitor());
            let responses = tokio::join!(one.post(link, fields), two.post(link, fields), three.post(link, fields));
            let mut joined = [responses.0.status, responses.1.status, responses.2.status];
            joined.sort_unstable();
            assert_eq!(joined[0], 303, "{joined:?}");
            assert!(joined[1..].iter().all(|it| matches!(it, 404 | 409)), "{joined:?}");
        }
        assert_eq!((accounts(&app), memberships(&app)), (5, 6));
    }

    async fn joining_and_revoking_at_once_succeeds_for_one(app: TestApp) {
        let ada = app.as_(Ada).await;
        for _ in 0..12 {
            app.clock.advance(Duration::from_secs(15 * 60));
            let link = app.invite(&ada, Dan.email(), "member").await;
            let open = "SELECT count(*) AS n FROM invitations WHERE accepted_at IS NULL AND revoked_at IS NULL";
            assert_eq!(app.database.number(open), 1);
            let page = ada.get("/team").await.expect(200).page();
            let revoke = page.attribute("form[action^='/team/invitations/inv_']", "action").expect("a form");
            let dan = app.visitor();
            let (joined, revoked) = tokio::join!(dan.post(&link, &[("password", PASSWORD)]), ada.post(&revoke, &[]));
            assert!(matches!((joined.status, revoked.status), (303, 404) | (404, 303)), "{joined:?} {revoked:?}");
            if joined.status == 303 {
                ada.post(&app.person_path(Dan, "remove"), &[("tokens", "keep")]).await.expect(303);
            }
        }
    }

    async fn inviting_asks_for_the_password_after_ten_minutes(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.clock.advance(Duration::from_secs(601));
        let invite = [("email", Eve.email()), ("role", "admin"), ("password", PASSWORD)];
        let asked = ada.post("/team/invitations", &invite[..2]).await.expect(403).page();
        let form = asked.form("/team/invitations");
        assert_eq!((form.fields["email"].as_str(), form.fields["role"].as_str()), (Eve.email(), "admin"));
        assert_eq!(app.database.number("SELECT count(*) AS n FROM invitations WHERE accepted_at IS NULL"), 0);
        ada.post("/team/invitations", &invite).await.expect(200);
    }

    async fn a_team_has_at_most_200_open_invitations(app: TestApp) {
        let (ada, team) = (app.as_(Ada).await, app.team("Acme").id);
        app.operate(|tx, actor| {
            (0..200).try_for_each(|number| {
                let email = EmailAddress::parse(&format!("guest{number}@nowhere.test"))?;
                invitations::invite(tx, actor, team, &email, MemberRole::Member).map(drop)
            })
        });
        let one_more = [("email", Eve.email()), ("role", "member")];
        let full = ada.post("/team/invitations", &one_more).await.expect(409).page();
        assert_eq!(full.text("#email-error"), "Your team has 200 open invitations. Revoke one first.");
        app.invite(&ada, "guest7@nowhere.test", "member").await;
        app.clock.advance(Duration::from_secs(7 * 24 * 3600));
        ada.post("/team/invitations", &[one_more[0], one_more[1], ("password", PASSWORD)]).await.expect(200);
        let open = "SELECT count(*) AS n FROM invitations WHERE accepted_at IS NULL AND revoked_at IS NULL";
        assert_eq!(app.database.number(open), 1);
    }

    async fn an_admin_cannot_replace_an_admins_link(app: TestApp) {
        let (ada, bea) = (app.as_(Ada).await, app.as_(Bea).await);
        let link = app.invite(&ada, Eve.email(), "admin").await;
        bea.post("/team/invitations", &[("email", Eve.email()), ("role", "member")]).await.expect(403);
        app.visitor().get(&link).await.expect(200);
        app.invite(&ada, Eve.email(), "member").await;
        app.visitor().get(&link).await.expect(404);
        let revoked = "SELECT count(*) AS n FROM activity WHERE kind = 'invitation.revoked'";
        assert_eq!(app.database.number(revoked), 1);
    }

    async fn a_revoked_replaced_or_expired_link_is_refused(app: TestApp) {
        let ada = app.as_(Ada).await;
        let first = app.invite(&ada, Eve.email(), "member").await;
        let second = app.invite(&ada, "EVE@nowhere.test", "member").await;
        app.visitor().get(&first).await.expect(404);
        app.visitor().get(&second).await.expect(200);

        let page = ada.get("/team").await.expect(200).page();
        let revoke = page.attribute("form[action^='/team/invitations/inv_']", "action").expect("a form");
        let dan = app.as_(Dan).await;
        let (of_no_team, _) = revoke.split_once('?').expect("a team");
        dan.post(of_no_team, &[]).await.expect(404);
        let after = ada.post_and_follow(&revoke, &[]).await.expect(200);
        assert!(after.page().whole_text().contains("Invitation revoked."));
        app.visitor().get(&second).await.expect(404);
        app.visitor().post(&second, &EVE).await.expect(404);
        ada.post(&revoke, &[]).await.expect(404);

        let third = app.invite(&ada, Eve.email(), "member").await;
        app.clock.advance(Duration::from_secs(7 * 24 * 3600 - 1));
        app.visitor().get(&third).await.expect(200);
        app.clock.advance(Duration::from_secs(1));
        app.visitor().get(&third).await.expect(404);
        app.visitor().post(&third, &EVE).await.expect(404);
        assert!(ada.get("/team").await.page().whole_text().contains("Expired"));
        assert_eq!(accounts(&app), 4);
    }

    async fn the_link_is_shown_once_and_never_stored(app: TestApp) {
        let ada = app.as_(Ada).await;
        let link = app.invite(&ada, Eve.email(), "member").await;
        let secret = link.rsplit('/').next().expect("a secret");
        let again = ada.get("/team").await.expect(200);
        assert!(again.page().whole_text().contains(Eve.email()) && !again.body.contains(secret));
        let kept = "SELECT count(*) AS n FROM invitations WHERE email LIKE '%{}%' OR invited_by LIKE '%{}%'";
        assert_eq!(app.database.number(&kept.replace("{}", secret)), 0);
    }

    async fn an_existing_account_joins_with_its_password(app: TestApp) {
        let ada = app.as_(Ada).await;
        let link = app.invite(&ada, Dan.email(), "admin").await;
        let visitor = app.visitor();
        let page = visitor.get(&link).await.expect(200).page();
        assert!(page.has("#password"));
        for wrong in [&[][..], &EVE[..]] {
            let refused = visitor.post(&link, wrong).await.expect(422).page();
            assert!(refused.has("#password-error"));
        }
        assert_eq!(memberships(&app), 4);

        let joined = visitor.post(&link, &[("password", PASSWORD)]).await.expect(303);
        assert_eq!((joined.location(), joined.notice().as_str()), ("/inbox", "joined"));
        let team = visitor.get("/team").await.expect(200).page();
        assert_eq!(team.text("h1 + .lead"), "People in Acme and their roles.");
        assert_eq!(memberships(&app), 5);
    }

    async fn password_guesses_on_a_link_are_limited_like_sign_in(app: TestApp) {
        let ada = app.as_(Ada).await;
        let link = app.invite(&ada, Dan.email(), "member").await;
        for _ in 0..10 {
            app.visitor().post(&link, &EVE).await.expect(422);
        }
        app.visitor().post(&link, &[("password", PASSWORD)]).await.expect(429);
        app.visitor().sign_in(Dan.email(), PASSWORD).await.expect(429);
        app.clock.advance(Duration::from_secs(15 * 60));
        app.visitor().post(&link, &[("password", PASSWORD)]).await.expect(303);
    }

    /// The response to an invalid form doesn't either.
    async fn a_link_does_not_reveal_whether_its_address_has_an_account(app: TestApp) {
        let (ada, now) = (app.as_(Ada).await, app.visitor());
        let links = [app.invite(&ada, Dan.email(), "member").await, app.invite(&ada, Eve.email(), "member").await];
        let mut bodies = [Vec::new(), Vec::new()];
        for ((link, bodies), email) in links.iter().zip(&mut bodies).zip([Dan.email(), Eve.email()]) {
            let bad = [&[("name", ""), ("password", "short")][..], &[("name", "A\nB"), ("password", PASSWORD)]];
            let mut responses = vec![now.get(link).await.expect(200)];
            for form in bad {
                responses.push(now.post(link, form).await.expect(422));
            }
            let same = |response: Response| response.body.replace(link, "LINK").replace(email, "EMAIL");
            bodies.extend(responses.into_iter().map(same));
        }
        assert_eq!(bodies[0], bodies[1]);
    }

    /// The inviter could have used the link too.
    async fn an_account_created_by_a_link_is_marked_unverified(app: TestApp) {
        let bea = app.as_(Bea).await;
        let (new, known) = (app.invite(&bea, Eve.email(), "member").await, app.invite(&bea, Dan.email(), "member").await);
        app.visitor().post(&new, &[("name", ""), EVE[1]]).await.expect(303);
        app.visitor().post(&known, &[("password", PASSWORD)]).await.expect(303);
        let team = bea.get("/team").await.expect(200).page();
        let names = team.texts("section[aria-labelledby=people-title] tbody th");
        let of = |email: &str| names.iter().find(|name| name.contains(email)).expect("a row");
        assert!(of(Eve.email()).ends_with("Invited by bea@acme.test, email not verified"), "{names:?}");
        assert!(!of(Dan.email()).contains("not verified") && !of(Ada.email()).contains("not verified"));
        let who = team.texts("section[aria-labelledby=people-title] tbody th .who");
        assert_eq!(who.iter().filter(|name| name.starts_with("eve@nowhere.test ")).count(), 1, "{who:?}");
        let records = "SELECT subject || ' ' || detail AS t FROM activity WHERE kind = 'person.joined'";
        let records = app.database.texts(records);
        let new = |email: &str| records.iter().any(|it| it.starts_with(email) && it.contains("email not verified"));
        assert!(new(Eve.email()) && !new(Dan.email()), "{records:?}");
        let activity = bea.get("/activity?kind=changes").await.expect(200).page().whole_text();
        assert!(activity.contains("joined the team as a member with a new account"), "{activity}");
    }

    async fn signed_in_people_join_with_one_button(app: TestApp) {
        let ada = app.as_(Ada).await;
        let link = app.invite(&ada, Dan.email(), "member").await;
        let dan = app.as_(Dan).await;
        assert!(!dan.get(&link).await.expect(200).page().has("#password"));
        dan.post(&link, &[]).await.expect(303);
        let team = dan.get("/team").await.expect(200).page();
        assert_eq!(team.text("h1 + .lead"), "People in Acme and their roles.");
    }

    async fn another_account_cannot_use_the_link(app: TestApp) {
        let ada = app.as_(Ada).await;
        let cy = app.as_(Cy).await;
        for address in [Dan.email(), Eve.email()] {
            let link = app.invite(&ada, address, "admin").await;
            let text = cy.get(&link).await.expect(200).page().whole_text();
            assert!(text.contains("signed in as cy@acme.test") && text.contains("Sign out"), "{text}");
            cy.post(&link, &[("name", "Cy"), ("password", PASSWORD)]).await.expect(409);
            app.visitor().get(&link).await.expect(200);
        }
        assert_eq!((accounts(&app), memberships(&app)), (4, 4));
    }

    async fn only_the_owner_invites_admins_and_members_cannot_invite(app: TestApp) {
        let invite = |role| [("email", Eve.email()), ("role", role)];
        let bea = app.as_(Bea).await;
        bea.post("/team/invitations", &invite("admin")).await.expect(403);
        bea.post("/team/invitations", &invite("owner")).await.expect(422);
        let cy = app.as_(Cy).await;
        cy.post("/team/invitations", &invite("member")).await.expect(403);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM invitations WHERE accepted_at IS NULL"), 0);
        app.invite(&bea, Eve.email(), "member").await;
        let ada = app.as_(Ada).await;
        app.invite(&ada, Eve.email(), "admin").await;
        let again = ada.post("/team/invitations", &[("email", "Cy@Acme.test"), ("role", "member")]).await;
        assert!(again.expect(409).page().text("#email-error").contains("already on the team"));
    }

    async fn people_without_a_team_can_rejoin_by_link_and_sign_out(app: TestApp) {
        let cy = app.as_(Cy).await;
        cy.post(&app.person_path(Cy, "remove"), &[]).await.expect(303);
        cy.get("/team").await.expect(403);
        let ada = app.as_(Ada).await;
        let link = app.invite(&ada, Cy.email(), "member").await;
        cy.post(&link, &[]).await.expect(303);
        cy.get("/team").await.expect(200);

        cy.post(&app.person_path(Cy, "remove"), &[]).await.expect(303);
        let left = cy.get("/team").await.expect(403).page();
        assert_eq!(left.form("/sign-out").method, "post");
        cy.post("/sign-out", &[]).await.expect(303);
        cy.get("/team").await.expect(303);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM sessions"), 1, "Ada's");
    }

    async fn joining_starts_a_new_session(app: TestApp) {
        let ada = app.as_(Ada).await;
        let link = app.invite(&ada, Eve.email(), "member").await;
        let joined = app.visitor().post(&link, &EVE).await.expect(303);
        let cookie = cookie(&joined);
        let other = app.visitor();
        let team = other.request(Method::GET, "/team").header("Cookie", &cookie).send().await.expect("a response");
        assert_eq!(team.status(), 200);
    }
}
