//! Sorted lists: their column headers, and pages that contain every row once.

use std::collections::BTreeSet;

use gatepost::domain::mailroom::address::{DomainName, MailAddress};
use gatepost::domain::mailroom::contacts::{self, About, ContactState};
use gatepost::domain::mailroom::mail_domains;

use crate::support::client::Visitor;
use crate::support::html::Page;
use crate::support::people::Person::Ada;
use crate::support::{TestApp, both_engines};

const ROWS: usize = 120;

/// The lists, and the columns that sort each; the first is the default.
const LISTS: [(&str, &[&str]); 4] = [
    ("/contacts", &["last-message", "contact", "messages"]),
    ("/aliases", &["created", "alias", "received", "last-received"]),
    ("/domains", &["domain", "checked", "added"]),
    ("/developer", &["created", "name", "used"]),
];

/// Fills each list with rows, many of which have equal or no values.
fn fill(app: &TestApp) {
    let team = app.team("Acme").id;
    app.operate(|tx, actor| {
        for n in 0..ROWS {
            let address = MailAddress::parse(&format!("p{n:03}@a.test")).expect("an address");
            let about = About { name: None, note: None, state: ContactState::Unset };
            contacts::create(tx, actor, team, &address, about)?;
            let name = DomainName::parse(&format!("d{n:03}.example"))?;
            mail_domains::add(tx, actor, team, "gatepost.localhost", &name)?;
        }
        Ok(())
    });
    for n in 0..ROWS {
        app.alias("Acme", &format!("a{n:03}"));
        app.token("Acme", &format!("token {n:03}"));
    }
    for sql in [
        "UPDATE contacts SET received = CASE WHEN address LIKE '%3@%' THEN 2 ELSE 5 END,
            last_seen_at = CASE WHEN address LIKE '%4@%' THEN 7 WHEN address LIKE '%5@%' THEN 9 END,
            name = CASE WHEN address LIKE '%6@%' THEN 'Same' END,
            name_key = CASE WHEN address LIKE '%6@%' THEN 'same' END",
        "UPDATE aliases SET received = CASE WHEN local LIKE '%3' THEN 2 ELSE 5 END,
            last_received_at = CASE WHEN local LIKE '%4' THEN 7 WHEN local LIKE '%5' THEN 9 END",
        "UPDATE domains SET checked_at = CASE WHEN name LIKE '%4.example' THEN 7 END",
        "UPDATE tokens SET last_used_at = CASE WHEN name LIKE '%4' THEN 7 WHEN name LIKE '%5' THEN 9 END",
    ] {
        app.database.execute(sql).expect(sql);
    }
}

fn rows(page: &Page) -> Vec<String> {
    page.verbatim("#list tbody tr").into_iter().map(|(row, _)| row["id"].clone()).collect()
}

fn next(page: &Page) -> Option<String> {
    page.verbatim("a[rel=next]").first().map(|(link, _)| link["href"].clone())
}

/// The rows of all pages of a list.
async fn every_page(visitor: &Visitor, path: &str) -> Vec<String> {
    let (mut all, mut path) = (Vec::new(), Some(path.to_owned()));
    while let Some(address) = path {
        let page = visitor.get(&address).await.expect(200).page();
        assert!(all.len() <= ROWS, "{address} leads back");
        all.extend(rows(&page));
        path = next(&page);
    }
    all
}

both_engines! {
    async fn the_pages_of_a_list_in_any_order_have_every_row_once(app: TestApp) {
        fill(&app);
        let ada = app.as_(Ada).await;
        for (list, columns) in LISTS {
            for column in columns {
                let there = every_page(&ada, &format!("{list}?sort={column}")).await;
                let back = every_page(&ada, &format!("{list}?sort=-{column}")).await;
                let distinct: BTreeSet<_> = there.iter().collect();
                assert_eq!((there.len(), distinct.len()), (ROWS, ROWS), "{list} by {column}");
                assert!(there.iter().rev().eq(&back), "{list} by {column}, and the other way round");
            }
        }
    }

    async fn clicking_a_column_header_toggles_the_sort_order(app: TestApp) {
        fill(&app);
        let ada = app.as_(Ada).await;
        for (list, columns) in LISTS {
            let first = ada.get(list).await.expect(200).page();
            for (number, column) in columns.iter().enumerate() {
                let head = format!("#sort-by-{column}");
                let sorted = |page: &Page| page.verbatim(&format!("th[aria-sort] {head}")).len();
                assert_eq!(sorted(&first), usize::from(number == 0), "{list}: {column}");
                let press = async |page: &Page| {
                    let address = page.attribute(&head, "href").expect("an address");
                    ada.get(&address).await.expect(200).page()
                };
                let once = if number == 0 { ada.get(list).await.page() } else { press(&first).await };
                let again = press(&once).await;
                assert_eq!((sorted(&once), sorted(&again)), (1, 1), "{list}: {column}");
                let direction = |page: &Page| page.attribute("th[aria-sort]", "aria-sort").expect("a direction");
                assert_ne!(direction(&once), direction(&again), "{list}: {column}");
                assert_eq!(once.texts("th[aria-sort]").len(), 1, "{list}: {column}");
            }
            ada.get(&format!("{list}?sort=color")).await.expect(404);
        }
    }

    /// A list by last message changes while someone pages through it.
    async fn the_next_page_starts_where_this_one_ended_even_if_a_row_has_moved(app: TestApp) {
        fill(&app);
        let ada = app.as_(Ada).await;
        let all = every_page(&ada, "/contacts").await;
        let first = ada.get("/contacts").await.expect(200).page();
        let last = first.texts("#list tbody tr:last-child .cell-name").concat();
        let sql = format!("UPDATE contacts SET last_seen_at = 99 WHERE address = '{last}' OR name = '{last}'");
        assert!(app.database.execute(&sql).expect("a moved row") > 0);
        let second = ada.get(&next(&first).expect("a next page")).await.expect(200).page();
        assert_eq!(rows(&second), all[50..100]);
    }

    async fn contacts_start_with_the_last_message(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.alias("Acme", "hello");
        for (from, id) in [("old@a.test", "1"), ("new@b.test", "2"), ("old@a.test", "3")] {
            app.clock.advance(std::time::Duration::from_secs(1));
            let letter = format!("From: {from}\nSubject: s\nMessage-ID: <{id}@a.test>\n\nText.\n");
            app.arrives(from, "hello@gatepost.localhost", &letter);
        }
        ada.post("/contacts", &[("address", "never@c.test")]).await.expect(303);
        let page = ada.get("/contacts").await.expect(200).page();
        assert_eq!(page.texts("#list .cell-name"), ["old@a.test", "new@b.test", "never@c.test"]);
    }
}
