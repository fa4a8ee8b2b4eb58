//! The mailroom's pages, as people meet them in a browser.

mod aliases;
mod contacts;
mod domains;

use crate::support::TestApp;
use crate::support::client::Visitor;
use crate::support::people::Person::Dan;

/// Every one of these is 404 to somebody of another team, and nothing is changed.
async fn is_nobody_elses(app: &TestApp, reads: &[String], writes: &[(String, &[(&str, &str)])]) {
    let dan: Visitor = app.as_(Dan).await;
    for path in reads {
        dan.get(path).await.expect(404);
    }
    for (path, fields) in writes {
        dan.post(path, fields).await.expect(404);
    }
}
