//! Files from messages. Browsers must save them, and never execute them as pages of this site.

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, Charset, ContentDisposition, DispositionParam, DispositionType,
    ExtendedValue, HeaderValue,
};
use actix_web::web::Bytes;
use futures_util::TryStreamExt;

use crate::app::downloads::Download;

const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// For browsers that display a file anyway.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'");

/// `kind` is an untrusted media type.
pub fn file(kind: &str, name: &str, download: Download) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, safe_type(kind)))
        .insert_header((CONTENT_SECURITY_POLICY, SANDBOX))
        .insert_header(disposition(name));
    match download {
        Download::Whole(bytes) => response.body(bytes),
        Download::Pieces(rest) => {
            response.body(SizedStream::new(rest.length(), rest.into_stream().map_ok(Bytes::from)))
        }
    }
}

fn safe_type(kind: &str) -> HeaderValue {
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_executable =
        ["html", "/xml", "svg", "xsl", "javascript", "ecmascript", "x-mixed-replace", "wasm", "flash"];
    let is_executable = essence.ends_with("+xml") || is_executable.iter().any(|word| essence.contains(word));
    match HeaderValue::from_str(kind) {
        Ok(kind) if !is_executable => kind,
        _ => BYTES,
    }
}

/// RFC 6266: an ASCII name for old clients, and the full name.
fn disposition(name: &str) -> ContentDisposition {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._- ".contains(c) { c } else { '_' };
    let value = name.as_bytes().to_vec();
    let whole = ExtendedValue { charset: Charset::Ext("UTF-8".into()), language_tag: None, value };
    ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![
            DispositionParam::Filename(name.chars().map(plain).collect()),
            DispositionParam::FilenameExt(whole),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executable_content_is_sent_as_octet_stream() {
        for kind in [
            "text/html; charset=utf-8",
            "TEXT/HTML",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/xml",
            "application/rss+xml",
            "text/xsl",
            "text/javascript",
            "application/x-ecmascript",
            "multipart/x-mixed-replace",
            "a\nb/c",
        ] {
            assert_eq!(safe_type(kind), BYTES, "{kind}");
        }
        let document = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        for kind in ["application/pdf", "image/png", "text/plain; charset=utf-8", "message/rfc822", document]
        {
            assert_eq!(safe_type(kind), kind);
        }
    }

    #[test]
    fn a_file_name_can_contain_no_path_or_header() {
        for (name, header) in [
            ("invoice.pdf", "attachment; filename=\"invoice.pdf\"; filename*=UTF-8''invoice.pdf"),
            (
                "Rechnung März.pdf",
                "attachment; filename=\"Rechnung M_rz.pdf\"; filename*=UTF-8''Rechnung%20M%C3%A4rz.pdf",
            ),
            (
                "a\"; b=\"c.html",
                "attachment; filename=\"a__ b__c.html\"; filename*=UTF-8''a%22%3B%20b=%22c.html",
            ),
            ("a\r\nX: y", "attachment; filename=\"a__X_ y\"; filename*=UTF-8''a%0D%0AX%3A%20y"),
        ] {
            assert_eq!(disposition(name).to_string(), header);
        }
    }
}
