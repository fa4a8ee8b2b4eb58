//! Deleting a team ends access at once and removes all its data, but no other team's. Also tests the export.

mod access;
mod export;
mod filled;
mod killed;
mod purge;

use gatepost::app::jobs::{registry, run_due};
use gatepost::store::Location;
use gatepost::store::check;

use crate::support::TestApp;
use crate::support::client::{Response, Visitor};
use crate::support::people::PASSWORD;

async fn delete(owner: &Visitor, name: &str) -> Response {
    owner.post("/settings/delete", &[("name", name), ("password", PASSWORD)]).await
}

async fn run_jobs(app: &TestApp) {
    run_due(&app.app, registry()).await.expect("jobs");
}

#[track_caller]
fn assert_sound(url: &str) {
    let location = Location::parse(url).expect("an address");
    assert_eq!(check::findings(&location).expect("a store"), [""; 0]);
}
