//! The number of database queries per page.

use gatepost::app::hourly_counts;
use gatepost::app::jobs::Running;

use crate::access::fill;
use crate::access::rows;
use crate::support::people::Person::Ada;
use crate::support::{TestApp, statements};

/// Includes one for the frame: the session with its person, their teams, and the unread count.
const MAX_QUERIES: usize = 4;

/// Pages with more queries.
const EXCEPTIONS: &[(&str, usize)] = &[
    // Lists requests and changes separately.
    ("GET /developer/tokens/{id}", 5),
    // Shows a message with its files beside the list and tabs.
    ("GET /inbox/{id}", 6),
    // Counts all data that is deleted with the team.
    ("GET /settings/delete", 8),
];

fn max_queries(route: &str) -> usize {
    EXCEPTIONS.iter().find(|(exception, _)| *exception == route).map_or(MAX_QUERIES, |(_, max)| *max)
}

#[tokio::test]
async fn pages_need_few_queries() {
    statements::listen();
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    let now = app.app.now();
    hourly_counts::count(&app.app, now, &Running::unstoppable()).await.expect("counted hours");
    let ada = app.as_(Ada).await;
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for row in rows::pages().into_iter().filter(|row| row.route.starts_with("GET") && row.expected[4] == 200)
    {
        let (_, path, _) = fill(&app, &row);
        // The first visit has side effects, like marking a message as read.
        ada.get(&path).await.expect(200);
        statements::of(&app.database);
        ada.get(&path).await.expect(200);
        let captured = statements::of(&app.database);
        let trips = captured.iter().filter(|sql| sql.starts_with("BEGIN")).count();
        // The server renews its lease meanwhile, by the database's clock.
        let is_query = |sql: &&String| {
            !["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|it| sql.starts_with(it))
                && !["`instance`", "`leases`", "unixepoch("].iter().any(|table| sql.contains(table))
        };
        let queries: Vec<_> = captured.iter().filter(is_query).collect();
        let count = queries.len();
        println!("{count} queries, {trips} trips: {}", row.route);
        if count > max_queries(row.route) {
            wrong.push(format!(
                "{}: {count} queries in {trips} trips\n{:#?}",
                row.route,
                queries.iter().map(|sql| brief(sql)).collect::<Vec<_>>()
            ));
        }
        seen += count;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 50, "no statement was captured");
}

/// Shortens a statement by leaving out the columns.
fn brief(sql: &str) -> String {
    let from = sql.rsplit_once(" FROM ").map_or(sql, |(_, from)| from);
    from.split(" -- binds").next().unwrap_or_default().chars().take(160).collect()
}
