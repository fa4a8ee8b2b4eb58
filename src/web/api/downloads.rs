//! Downloads of messages and attachments.

use actix_web::http::header::EntityTag;
use actix_web::{HttpResponse, web};

use super::ApiError;
use super::caller::ApiCaller;
use super::etag::{self, IfNoneMatch};
use super::json::{NoQuery, Query};
use super::response::File;
use crate::app::App;
use crate::domain::mailroom::downloads;
use crate::domain::mailroom::messages::{self, AttachmentId, MessageId};
use crate::web::files::file;

pub async fn raw(
    app: web::Data<App>,
    caller: ApiCaller,
    path: web::Path<MessageId>,
    _: Query<NoQuery>,
    known: IfNoneMatch,
) -> Result<File, ApiError> {
    let id = path.into_inner();
    let team = caller.team().id;
    let tag = etag::of(&id);
    if known.has(&tag) {
        app.read(move |tx| messages::find(tx, team, id)).await?;
        return Ok(File(etag::not_modified(&tag)));
    }
    let opened = app.download(team, id, move |tx| Ok(((), downloads::raw(tx, team, id)?)));
    let ((), raw) = opened.await?;
    Ok(tagged(file("message/rfc822", &format!("{id}.eml"), raw), &tag))
}

pub async fn attachment(
    app: web::Data<App>,
    caller: ApiCaller,
    path: web::Path<(MessageId, AttachmentId)>,
    _: Query<NoQuery>,
    known: IfNoneMatch,
) -> Result<File, ApiError> {
    let (message, id) = path.into_inner();
    let team = caller.team().id;
    let tag = etag::of(&id);
    if known.has(&tag) {
        app.read(move |tx| messages::find_attachment(tx, team, message, id)).await?;
        return Ok(File(etag::not_modified(&tag)));
    }
    let opened = app.download(team, message, move |tx| downloads::attachment(tx, team, message, id));
    let (attachment, bytes) = opened.await?;
    let name = attachment.name.unwrap_or_else(|| id.to_string());
    Ok(tagged(file(&attachment.content_type, &name, bytes), &tag))
}

/// Files never change, so the tag is derived from the id, without reading the content.
fn tagged(mut file: HttpResponse, tag: &EntityTag) -> File {
    etag::insert(&mut file, tag);
    File(file)
}
