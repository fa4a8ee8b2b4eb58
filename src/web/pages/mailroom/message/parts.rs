//! The HTML of a message in a frame, its source, and its attachments.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use askama::Template;

use super::{View, frame};
use crate::domain::Error;
use crate::domain::mailroom::downloads;
use crate::domain::mailroom::html::{Pictures, safe};
use crate::domain::mailroom::messages::{self, AttachmentId, MessageId};
use crate::domain::mailroom::pictures;
use crate::web::files::file;
use crate::web::pages::{Answer, Layout, Member};
use crate::web::{paths, preferences};

/// The maximum bytes of the source shown. The whole source can be downloaded.
const MAX_SOURCE: usize = 256 * 1024;

/// The Content-Security-Policy of the frame: it can only open links in new windows. It has our origin so that the
/// page can measure its height, but it can't run scripts.
const FRAME_CSP: &str = "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; \
    default-src 'none'; style-src 'unsafe-inline'; font-src 'self'; form-action 'none'; base-uri 'none'; \
    frame-ancestors 'self'; img-src data:";

/// The message's HTML, for the frame on its page.
pub async fn html(member: Member, id: Path<MessageId>, view: Query<View>) -> Answer {
    let (id, team, theme) = (*id, member.team.id, preferences::current().theme);
    let (remote, from) = match view.images.is_empty() {
        true => (Pictures::Inline, ""),
        false => (Pictures::Remote, " https: http:"),
    };
    // Sanitizing takes several times the memory of the HTML, so the number of parallel runs is limited.
    let page = member.app().read_long(move |tx| {
        let mut opened = messages::open(tx, team, id)?;
        let html = opened.html.take().ok_or(Error::NotFound)?;
        let own = match pictures::has_inline_pictures(&html, &opened) {
            true => pictures::of(tx, team, id, &opened)?,
            false => Vec::new(),
        };
        Ok(frame::document(theme, &pictures::inline(&safe(&html, remote), &own)))
    });
    let page = page.await?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("content-security-policy", format!("{FRAME_CSP}{from}")))
        .insert_header(("x-frame-options", "SAMEORIGIN"))
        .insert_header(("referrer-policy", "no-referrer"))
        .body(page))
}

#[derive(Template)]
#[template(path = "mailroom/source.html")]
struct SourcePage {
    layout: Layout,
    id: String,
    source: String,
    is_cut: bool,
}

/// The raw message, as text.
pub async fn source(member: Member, id: Path<MessageId>) -> Answer {
    let id = *id;
    let read = member.read(move |tx, team| {
        let size = downloads::size(tx, team, id)?;
        Ok((downloads::beginning(tx, team, id, MAX_SOURCE)?, size > MAX_SOURCE))
    });
    let (beginning, is_cut) = read.await?;
    let page = SourcePage {
        layout: Layout::new(&member, "inbox"),
        id: id.to_string(),
        source: String::from_utf8_lossy(&beginning).into_owned(),
        is_cut,
    };
    crate::web::pages::html(StatusCode::OK, &page)
}

/// The raw message, as a download.
pub async fn raw(member: Member, id: Path<MessageId>) -> Answer {
    let (id, team) = (*id, member.team.id);
    let opened = member.app().download(team, id, move |tx| Ok(((), downloads::raw(tx, team, id)?)));
    let ((), raw) = opened.await?;
    Ok(file("message/rfc822", &format!("{id}.eml"), raw))
}

pub async fn attachment(member: Member, path: Path<(MessageId, AttachmentId)>) -> Answer {
    let (team, (message, id)) = (member.team.id, path.into_inner());
    let opened = member.app().download(team, message, move |tx| downloads::attachment(tx, team, message, id));
    let (attachment, bytes) = opened.await?;
    let name = attachment.name.unwrap_or_else(|| id.to_string());
    Ok(file(&attachment.content_type, &name, bytes))
}
