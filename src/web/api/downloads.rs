//! Parts of a message as files.

use actix_web::http::header::EntityTag;
use actix_web::{HttpResponse, web};

use super::ApiError;
use super::caller::ApiCaller;
use super::etag::{self, Known};
use super::json::Query;
use super::me::NoQuery;
use crate::app::App;
use crate::domain::mailroom::downloads;
use crate::domain::mailroom::messages::{self, AttachmentId, MessageId};
use crate::web::files::file;

/// Download a message
///
/// Byte by byte as it came, headers and all; the beginning alone where the message is
/// `truncated`.
#[utoipa::path(get, operation_id = "downloadMessage", path = "/api/v1/messages/{id}/raw", tag = "Messages", params(("id" = String, Path, description = "The message's id.", example = "msg_019f2a4c1d877e02b6f03a9d1c55e7af")), responses((status = 200, description = "The message.", content_type = "message/rfc822", body = String, example = json!("From: Bob <bob@customer.test>\nSubject: Where is my order?\n\nHello, I ordered a week ago and nothing has come.\n"))))]
pub async fn raw(
    app: web::Data<App>,
    caller: ApiCaller,
    path: web::Path<MessageId>,
    _: Query<NoQuery>,
    known: Known,
) -> Result<HttpResponse, ApiError> {
    let id = path.into_inner();
    let team = caller.team().id;
    let tag = etag::of(&id);
    if known.has(&tag) {
        app.read(move |tx| messages::find(tx, team, id)).await?;
        return Ok(etag::not_modified(&tag));
    }
    let opened = app.download(team, id, move |tx| Ok(((), downloads::raw(tx, team, id)?)));
    let ((), raw) = opened.await?;
    Ok(tagged(file("message/rfc822", &format!("{id}.eml"), raw), &tag))
}

/// Download an attachment
///
/// As its sender attached it. The answer has the type the sender gave it, or
/// `application/octet-stream` for types that browsers run, such as HTML and SVG.
#[utoipa::path(get, operation_id = "downloadAttachment", path = "/api/v1/messages/{id}/attachments/{attachment}", tag = "Messages", params(("id" = String, Path, description = "The message's id.", example = "msg_019f2a4c1d877e02b6f03a9d1c55e7af"), ("attachment" = String, Path, description = "The attachment's id.", example = "att_019f2a4c1d877e02b6f03a9d1c55e7b1")), responses((status = 200, description = "The file.", content_type = "*/*", body = String, example = json!("(the bytes of the file)"))))]
pub async fn attachment(
    app: web::Data<App>,
    caller: ApiCaller,
    path: web::Path<(MessageId, AttachmentId)>,
    _: Query<NoQuery>,
    known: Known,
) -> Result<HttpResponse, ApiError> {
    let (message, id) = path.into_inner();
    let team = caller.team().id;
    let tag = etag::of(&id);
    if known.has(&tag) {
        app.read(move |tx| messages::find_attachment(tx, team, message, id)).await?;
        return Ok(etag::not_modified(&tag));
    }
    let opened = app.download(team, message, move |tx| downloads::attachment(tx, team, message, id));
    let (attachment, bytes) = opened.await?;
    let name = attachment.name.unwrap_or_else(|| id.to_string());
    Ok(tagged(file(&attachment.content_type, &name, bytes), &tag))
}

/// What came never changes, so its id is tag enough, and its bytes are not read to tell one.
fn tagged(mut file: HttpResponse, tag: &EntityTag) -> HttpResponse {
    etag::tag_head(&mut file, tag);
    file
}
