//! Exports the filtered records as CSV (RFC 4180), streamed in parts.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use futures_util::stream;

use super::filters::{Criteria, Query};
use super::sentences;
use crate::app::App;
use crate::domain::access::activity::{self, ActivityId, Filter, Record};
use crate::domain::access::tokens::{self, Token};
use crate::domain::lists::Window;
use crate::domain::people::teams::TeamId;
use crate::domain::{Error, Result};
use crate::web::pages::Answer;
use crate::web::pages::guards::Admin;

/// The maximum number of records per part, and in the whole file.
const PART: i64 = 500;
const MAX_ROWS: usize = 50_000;
const COLUMNS: [&str; 15] = [
    "time",
    "kind",
    "description",
    "actor",
    "token id",
    "token name",
    "method",
    "path",
    "status",
    "milliseconds",
    "count",
    "ip",
    "user agent",
    "request id",
    "record id",
];

/// # Errors
/// `Invalid` if a filter is invalid.
pub async fn download(app: web::Data<App>, admin: Admin, query: web::Query<Query>) -> Answer {
    let Criteria { filter, .. } = query.into_inner().parse(admin.request.now)?;
    app.gate().flush().await;
    let day = admin.request.now.utc().date();
    let export =
        Export { app: app.get_ref().clone(), team: admin.team.id, filter, before: None, written: None };
    // Reads the first part before the response begins, so that a failure can still be reported.
    let first = export.part().await?;
    let rest = stream::unfold(Some(first), async |next| {
        let (text, export) = next?;
        let next = match export {
            Some(export) => export.part().await.map(Some),
            None => Ok(None),
        };
        // Aborts the connection, because a truncated file would look complete.
        Some(match next {
            Ok(next) => (Ok(web::Bytes::from(text)), next),
            Err(cause) => {
                tracing::warn!(%cause, "an activity export failed");
                (Err(std::io::Error::other("the store is unavailable")), None)
            }
        })
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"activity-{day}.csv\"")))
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(Box::pin(rest)))
}

/// The rest of an export.
struct Export {
    app: App,
    team: TeamId,
    filter: Filter,
    before: Option<ActivityId>,
    /// The number of records written; `None` until the header row is written.
    written: Option<usize>,
}

impl Export {
    /// Returns the next part, and the rest unless this was the last.
    async fn part(self) -> Result<(String, Option<Self>)> {
        let (team, filter, window) = (self.team, self.filter.clone(), Window::below(self.before, PART));
        let read = self.app.read(move |tx| {
            let page = activity::list(tx, team, &filter, window)?;
            let mut ids: Vec<_> = page.rows.iter().filter_map(|record| record.token_id).collect();
            ids.sort_unstable();
            ids.dedup();
            Ok::<_, Error>((page, tokens::find_all(tx, team, &ids)?))
        });
        let (page, tokens) = read.await?;
        let mut text = String::new();
        if self.written.is_none() {
            line(&mut text, COLUMNS.iter().map(|name| (*name).to_owned()));
        }
        let room = MAX_ROWS - self.written.unwrap_or_default();
        for record in page.rows.iter().take(room) {
            line(&mut text, cells(record, &tokens));
        }
        let written = self.written.unwrap_or_default() + page.rows.len();
        let rest = page.next.filter(|_| written < MAX_ROWS);
        Ok((text, rest.map(|id| Self { before: Some(id), written: Some(written), ..self })))
    }
}

fn cells(record: &Record, tokens: &[Token]) -> impl Iterator<Item = String> {
    let token = record.token_id.and_then(|id| tokens.iter().find(|token| token.id == id));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        record.at.to_string(),
        record.kind.to_string(),
        sentences::sentence(record),
        text(&record.actor_label),
        record.token_id.map(|id| id.to_string()).unwrap_or_default(),
        token.map(|token| token.name.clone()).unwrap_or_default(),
        text(&record.method),
        text(&record.route),
        record.status.map(|status| status.to_string()).unwrap_or_default(),
        record.duration_us.map(|micros| format!("{:.1}", f64::from(micros) / 1000.0)).unwrap_or_default(),
        record.count.to_string(),
        text(&record.ip),
        text(&record.agent),
        record.request().map(|id| id.to_string()).unwrap_or_default(),
        record.id.to_string(),
    ]
    .into_iter()
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push(',');
        }
        push(text, &cell);
    }
    text.push_str("\r\n");
}

/// Adds a cell. Prefixes text that looks like a formula with an apostrophe: spreadsheets would run it, and
/// strangers choose some of the text, like user agents.
fn push(text: &mut String, cell: &str) {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let quoted = is_formula || cell.contains([',', '"', '\r', '\n', ';', '\t']);
    if !quoted {
        return text.push_str(cell);
    }
    text.push('"');
    if is_formula {
        text.push('\'');
    }
    text.push_str(&cell.replace('"', "\"\""));
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_are_defused() {
        let cell = |cell: &str| {
            let mut text = String::new();
            push(&mut text, cell);
            text
        };
        assert_eq!(cell("ci"), "ci");
        assert_eq!(cell("a, b"), "\"a, b\"");
        assert_eq!(cell("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(cell("one\r\ntwo"), "\"one\r\ntwo\"");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(cell(formula), format!("\"'{formula}\""));
        }
    }

    #[test]
    fn cells_are_separated_by_commas_even_if_the_first_is_empty() {
        let mut text = "before\r\n".to_owned();
        line(&mut text, ["", "b", "", "d"].into_iter().map(str::to_owned));
        assert_eq!(text, "before\r\n,b,,d\r\n");
    }
}
