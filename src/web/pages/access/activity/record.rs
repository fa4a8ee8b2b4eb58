//! The page of one record.

use actix_web::http::StatusCode;
use actix_web::web;
use askama::Template;

use super::rows::Row;
use super::sentences::{self, Fact};
use crate::app::App;
use crate::domain::Timestamp;
use crate::domain::access::activity::{self, ActivityId};
use crate::web::pages::guards::Admin;
use crate::web::pages::{Answer, Layout, html};
use crate::web::paths;

#[derive(Template)]
#[template(path = "activity/record.html")]
struct RecordPage {
    layout: Layout,
    row: Row,
    at: Timestamp,
    title: String,
    kind: &'static str,
    code: String,
    facts: Vec<Fact>,
    agent: String,
    ip: String,
    request: String,
    count: i32,
    person: String,
    label: String,
    list: String,
}

pub async fn show(app: web::Data<App>, admin: Admin, id: web::Path<ActivityId>) -> Answer {
    let id = id.into_inner();
    let team = admin.team.id;
    let named = app.read_activity(move |tx| activity::find_named(tx, team, id)).await?;
    let row = Row::of(&named);
    let record = named.record;
    let tab = if record.kind.is_call() { "" } else { "changes" };
    html(
        StatusCode::OK,
        &RecordPage {
            layout: Layout::new(&admin, "activity"),
            title: if row.is_call { row.what.clone() } else { format!("{} {}", row.who, row.action()) },
            row,
            at: record.at,
            kind: record.kind.label(),
            code: record.kind.to_string(),
            facts: sentences::facts(&record),
            request: record.request().map(|id| id.to_string()).unwrap_or_default(),
            label: record.actor_label.unwrap_or_default(),
            agent: record.agent.unwrap_or_default(),
            ip: record.ip.unwrap_or_default(),
            count: record.count,
            person: record.person_id.map(|id| id.to_string()).unwrap_or_default(),
            list: paths::ACTIVITY.query(&[("kind", tab)]),
        },
    )
}
