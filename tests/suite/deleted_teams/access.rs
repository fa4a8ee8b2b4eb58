//! Deleting a team ends all access to it at once.

use super::filled::fill;
use super::{delete, run_jobs};
use crate::support::mail_server::{self, Talk, letter};
use crate::support::people::Person::{Ada, Bea, Cy, Dan};
use crate::support::people::{PASSWORD, Person};
use crate::support::{TestApp, both_engines};

both_engines! {
    async fn the_question_says_what_will_be_destroyed(app: TestApp) {
        fill(&app, "Acme", Ada, "acme").await;
        let page = app.as_(Ada).await.get("/settings/delete").await.expect(200).page();
        let figures: Vec<_> = page.texts(".figures dt").into_iter().zip(page.texts(".figures dd")).collect();
        let expected = [
            ("Messages", "7"),
            ("Aliases", "2"),
            ("Contacts", "3"),
            ("Domains", "1"),
            ("Active tokens", "2"),
            ("People who lose access", "3"),
        ];
        assert_eq!(figures, expected.map(|(name, figure)| (name.to_owned(), figure.to_owned())));
        assert!(page.has("form#export-first[action^='/settings/export?team=']"));
        assert!(page.has(".dialog button[form=export-first]"));
    }

    async fn the_owner_types_the_name_and_the_password(app: TestApp) {
        let ada = app.as_(Ada).await;
        for (name, password, status) in [
            ("", PASSWORD, 422),
            ("Globex", PASSWORD, 422),
            ("Acme", "", 403),
            ("Acme", "wrong horse battery", 403),
        ] {
            let refused = ada.post("/settings/delete", &[("name", name), ("password", password)]).await;
            let page = refused.expect(status).page();
            let field = if status == 422 { "#name-error" } else { "form[action^='/settings/delete?team='] #password" };
            assert!(page.has(field), "{name} {password}");
        }
        for person in [Bea, Cy] {
            delete(&app.as_(person).await, "Acme").await.expect(403);
        }
        assert_eq!(app.count("teams WHERE deleted_at IS NOT NULL"), 0);
        // The name can be typed in any case.
        let deleted = delete(&ada, " acme ").await.expect(303);
        assert_eq!((deleted.location(), deleted.notice().as_str()), ("/", "team-deleted"));
        delete(&ada, "Acme").await.expect(403);
        assert_eq!(app.count("activity WHERE kind = 'team.deleted' AND actor_kind = 'person'"), 1);
    }

    async fn tokens_are_refused_in_the_next_call(app: TestApp) {
        let (acme, globex) = (fill(&app, "Acme", Ada, "acme").await, fill(&app, "Globex", Dan, "globex").await);
        app.api(&acme.token).get("/api/v1/contacts").await.expect(200);
        delete(&app.as_(Ada).await, "Acme").await.expect(303);
        for secret in acme.secrets.iter().filter(|secret| secret.starts_with("gp_")) {
            let refused = app.api(secret).get("/api/v1/contacts").await.expect(401);
            assert_eq!(refused.error_code(), "INVALID_API_TOKEN");
        }
        app.api(&globex.token).get("/api/v1/contacts").await.expect(200);
    }

    async fn people_without_another_team_are_told_which_one_was_deleted(app: TestApp) {
        let people: [Person; 3] = [Ada, Bea, Cy];
        let mut browsers = Vec::new();
        for person in people {
            browsers.push((person, app.as_(person).await));
        }
        // Bea has chosen the team, and the others have only this one.
        let acme = app.team("Acme").id.to_string();
        browsers[1].1.post("/teams/switch", &[("team", &acme)]).await.expect(303);
        let link = browsers[0].1.post("/team/invitations", &[("email", "eve@nowhere.test"), ("role", "member")]).await;
        let link = link.expect(200).page().text("#invitation-link");
        delete(&browsers[0].1, "Acme").await.expect(303);
        for (person, visitor) in &browsers {
            for path in ["/", "/inbox", "/settings", "/developer"] {
                let page = visitor.get(path).await.expect(403).page();
                assert_eq!(page.text("h1"), "Acme was deleted", "{person:?} {path}");
                assert!(page.whole_text().contains(&format!("gatepost setup --team Acme --owner {}", person.email())));
            }
            visitor.get("/api/v1/me").await.expect(401);
            visitor.post("/sign-out", &[]).await.expect(303);
        }
        // A new session has no earlier team.
        let again = app.as_(Bea).await.get("/").await.expect(403).page();
        assert_eq!(again.text("h1"), "You aren't on a team");
        let path = link.strip_prefix(&app.base).expect("an address of this instance");
        app.visitor().get(path).await.expect(404);
        app.as_(Dan).await.get("/").await.expect(200);
    }

    async fn mail_to_every_address_of_the_team_is_refused(app: TestApp) {
        fill(&app, "Acme", Ada, "acme").await;
        let server = mail_server::open(&app.app);
        let hello = "acme@gatepost.localhost";
        let rcpt = |to: &str| -> String {
            let mut talk = Talk::smtp(mail_server::smtp(&server));
            talk.say("MAIL FROM:<bob@example.test>").expect("250");
            talk.say(&format!("RCPT TO:<{to}>")).reply()
        };
        let own = ["acme@gatepost.localhost", "acme+tag@gatepost.localhost", "own@acme.test", "postmaster@acme.test"];
        for address in own {
            assert!(rcpt(address).starts_with("250"), "{address}");
        }
        let of_acme = || app.count("aliases WHERE local_key = 'postmaster' AND domain_id IS NULL");
        assert!(rcpt("postmaster@gatepost.localhost").starts_with("250"));
        assert_eq!(of_acme(), 1, "the oldest team has it");
        // Its recipient was accepted before the deletion.
        let mut begun = Talk::smtp(mail_server::smtp(&server));
        begun.envelope("bob@example.test", &[hello]);
        let before = app.count("messages");
        delete(&app.as_(Ada).await, "Acme").await.expect(303);
        begun.data(letter("late")).expect("550");
        for address in own {
            assert!(rcpt(address).starts_with("550"), "{address}");
        }
        run_jobs(&app).await;
        assert_eq!((before > 0, app.count("messages")), (true, 0));
        for address in own {
            assert!(rcpt(address).starts_with("550"), "{address}");
        }
        // Mail to postmaster goes to the team that is the oldest now.
        assert!(rcpt("postmaster@gatepost.localhost").starts_with("250"));
        let team = app.team("Globex").id.to_string().replace("team_", "");
        let holder = format!("SELECT {} AS t FROM aliases WHERE local_key = 'postmaster'", app.database.hex("team_id"));
        assert_eq!(app.database.texts(&holder), [team]);
    }

    async fn jobs_of_the_team_end(app: TestApp) {
        let (acme, globex) = (fill(&app, "Acme", Ada, "acme").await, fill(&app, "Globex", Dan, "globex").await);
        let of = |team: &gatepost::domain::people::teams::TeamId| {
            let digits = team.to_string().replace("team_", "");
            app.count(&format!("jobs WHERE {} = '{digits}'", app.database.hex("team_id")))
        };
        assert_eq!((of(&acme.id), of(&globex.id)), (1, 1));
        delete(&app.as_(Ada).await, "Acme").await.expect(303);
        assert_eq!((of(&acme.id), of(&globex.id)), (0, 1));
    }
}
