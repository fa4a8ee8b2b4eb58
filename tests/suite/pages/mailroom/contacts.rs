use std::time::Duration;

use gatepost::domain::mailroom::contacts::{self, Contact, ContactId, ContactState};

use super::assert_only_its_team_finds;
use crate::support::mail::letter_with_file;
use crate::support::people::Person::Cy;
use crate::support::{TestApp, both_engines};

const ROWS: &str = "#list tbody th a";

fn only(app: &TestApp) -> Contact {
    let team = app.team("Acme").id;
    let window = gatepost::domain::lists::Window::first(2);
    let page = app.operate(|tx, _| contacts::list(tx, team, &contacts::Filter::default(), window));
    assert_eq!(page.rows.len(), 1);
    page.rows[0].clone()
}

both_engines! {
    async fn arriving_mail_creates_a_contact_and_counts(app: TestApp) {
        let cy = app.as_(Cy).await;
        let empty = cy.get("/contacts").await.expect(200).page();
        assert!(empty.whole_text().contains("No contacts yet"));
        assert_eq!(empty.link("Create alias"), "/aliases");
        app.alias("Acme", "hello");
        app.arrives("bob@customer.test", "hello@gatepost.localhost", &letter_with_file("one"));
        let list = cy.get("/contacts").await.expect(200).page();
        assert_eq!((list.texts(ROWS), list.texts("tbody .badge").len()), (vec!["Bob".into()], 0));
        assert_eq!(list.text("tbody td.num"), "1");
        let bob = only(&app);
        let page = cy.get(&list.link("Bob")).await.expect(200).page();
        assert_eq!(page.text("#contact-address"), "bob@customer.test");
        assert_eq!(page.link("View messages"), format!("/inbox?view=all&contact={}", bob.id));
        assert!(page.whole_text().contains("accepted and stored but not delivered"));
    }

    async fn a_contact_can_be_added_only_once(app: TestApp) {
        let cy = app.as_(Cy).await;
        let sent = [("address", "Eve@Spam.test"), ("name", "Eve"), ("note", "sells"), ("state", "blocked")];
        let page = cy.post_and_follow("/contacts", &sent).await.expect(200).page();
        assert!(page.whole_text().contains("Blocked") && page.whole_text().contains("Never"));
        let again = cy.post("/contacts", &[("address", "eve@spam.test"), ("name", "E")]).await.expect(409).page();
        assert!(again.text("#new-address-error").contains("is already a contact"));
        assert_eq!(again.attribute("#new-name", "value").as_deref(), Some("E"));
        let long = "x".repeat(121);
        let wrong = [("address", "nobody"), ("state", "loved"), ("name", long.as_str())];
        let wrong = cy.post("/contacts", &wrong).await.expect(422).page();
        for field in ["address", "state", "name"] {
            assert!(wrong.has(&format!("#new-{field}-error")), "{field}");
        }
        assert_eq!(wrong.attribute("#new-address", "value").as_deref(), Some("nobody"));
    }

    async fn new_mail_of_a_blocked_contact_is_not_delivered(app: TestApp) {
        let (cy, _) = (app.as_(Cy).await, app.alias("Acme", "hello"));
        app.arrives("bob@customer.test", "hello@gatepost.localhost", &letter_with_file("one"));
        let path = format!("/contacts/{}", only(&app).id);
        let form = cy.get(&path).await.expect(200).page().form(&path);
        assert_eq!((&*form.fields["name"], &*form.fields["state"]), ("Bob", "unset"));
        cy.post(&path, &[("name", "Robert"), ("note", "late"), ("state", "blocked")]).await.expect(303);
        let bob = only(&app);
        assert_eq!((bob.name.as_deref(), bob.note.as_deref(), bob.state), (Some("Robert"), Some("late"), ContactState::Blocked));
        app.arrives("bob@customer.test", "hello@gatepost.localhost", &letter_with_file("two"));
        assert!(cy.get("/aliases").await.page().text("tbody td.num").contains("1 blocked"));
        let refused = cy.post(&path, &[("name", "R"), ("state", "loved")]).await.expect(422).page();
        assert!(refused.text("#state-error").contains("Choose"));
        assert_eq!(refused.form(&path).fields["name"], "R");
        let question = cy.get(&format!("{path}/delete")).await.expect(200).page().whole_text();
        assert!(question.contains("2 messages are kept") && question.contains("They're blocked now"), "{question}");
        cy.post(&format!("{path}/delete"), &[]).await.expect(303);
        cy.get(&path).await.expect(404);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM messages"), 2);
    }

    async fn the_list_is_searched_narrowed_and_paged(app: TestApp) {
        let cy = app.as_(Cy).await;
        for n in 0..51 {
            app.clock.advance(Duration::from_millis(1));
            let (address, state) = (format!("p{n:02}@a.test"), if n == 3 { "allowed" } else { "unset" });
            cy.post("/contacts", &[("address", &address), ("state", state)]).await.expect(303);
        }
        let first = cy.get("/contacts").await.expect(200).page();
        assert_eq!((first.texts(ROWS).len(), first.text("#list caption")), (50, "51 contacts".into()));
        assert_eq!(cy.get(&first.link("Next")).await.expect(200).page().texts(ROWS), ["p00@a.test"]);
        assert_eq!(cy.get("/contacts?state=allowed").await.page().texts(ROWS), ["p03@a.test"]);
        let part = cy.fragment("/contacts?q=P1&state=").await.expect(200);
        assert_eq!((part.page().texts(ROWS).len(), part.header("hx-replace-url")), (10, "/contacts?q=P1"));
        assert!(cy.get("/contacts?q=nobody").await.page().whole_text().contains("No matches"));
        for path in ["/contacts?state=x", "/contacts?before=x"] {
            cy.get(path).await.expect(404);
        }
    }

    async fn several_contacts_change_together_or_not_at_all(app: TestApp) {
        let cy = app.as_(Cy).await;
        let add = async |name: &str| {
            let reply = cy.post("/contacts", &[("address", &format!("{name}@a.test"))]).await.expect(303);
            reply.location().trim_start_matches("/contacts/").to_owned()
        };
        let (one, two) = (add("one").await, add("two").await);
        let act = |what| [("id", one.as_str()), ("id", two.as_str()), ("do", what)];
        let list = cy.post_and_follow("/contacts/chosen", &act("blocked")).await.expect(200).page();
        assert_eq!(list.texts("tbody .badge"), ["Blocked", "Blocked"]);
        let unknown = ContactId::new(Default::default(), [7; 8]).to_string();
        let some = [("id", one.as_str()), ("id", &unknown), ("do", "allowed")];
        cy.post("/contacts/chosen", &some).await.expect(404);
        assert_eq!(cy.get("/contacts?state=blocked").await.page().texts(ROWS).len(), 2, "no contact was changed");
        for wrong in [&act("loved")[..], &[("id", "x"), ("do", "allowed")]] {
            assert!((400..405).contains(&cy.post("/contacts/chosen", wrong).await.status));
        }
        let gone = cy.post_and_follow("/contacts/chosen", &act("delete")).await.expect(200).page();
        assert!(gone.whole_text().contains("Contacts deleted") && gone.whole_text().contains("No contacts yet"));
        cy.post("/contacts/chosen", &[("do", "delete")]).await.expect(303);
    }

    async fn a_contacts_page_lists_their_messages(app: TestApp) {
        let (cy, _) = (app.as_(Cy).await, app.alias("Acme", "hello"));
        app.arrives("bob@customer.test", "hello@gatepost.localhost", &letter_with_file("one"));
        let path = format!("/contacts/{}", only(&app).id);
        cy.post(&path, &[("name", "Bob"), ("state", "blocked")]).await.expect(303);
        app.arrives("bob@customer.test", "hello@gatepost.localhost", &letter_with_file("two"));
        let page = cy.get(&path).await.expect(200).page();
        assert_eq!((page.texts(".rows > a").len(), page.texts(".rows .badge")), (2, vec!["Blocked".to_owned()]));
        cy.get(&page.verbatim(".rows > a")[0].0["href"]).await.expect(200);
    }

    async fn another_teams_contact_does_not_exist(app: TestApp) {
        app.as_(Cy).await.post("/contacts", &[("address", "bob@customer.test")]).await.expect(303);
        let path = format!("/contacts/{}", only(&app).id);
        let reads = [path.clone(), format!("{path}/delete")];
        let writes: [(String, &[(&str, &str)]); 2] =
            [(path.clone(), &[("state", "loved")]), (format!("{path}/delete"), &[])];
        assert_only_its_team_finds(&app, &reads, &writes).await;
        assert_eq!(only(&app).state, ContactState::Unset);
    }
}
