//! Files somebody sent. A browser saves them and never shows them: what was sent must not run
//! as a page of this site.

use actix_web::HttpResponse;
use actix_web::http::header::{
    Charset, ContentDisposition, DispositionParam, DispositionType, ExtendedValue, HeaderValue,
};

/// `kind` is a media type as somebody wrote it.
pub fn file(kind: &str, name: &str, bytes: Vec<u8>) -> HttpResponse {
    let unknown = HeaderValue::from_static("application/octet-stream");
    HttpResponse::Ok()
        .insert_header(("content-type", HeaderValue::from_str(kind).unwrap_or(unknown)))
        .insert_header(saved_as(name))
        .body(bytes)
}

/// RFC 6266: a name for old programs, and the whole one for all others.
fn saved_as(name: &str) -> ContentDisposition {
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
    fn a_file_keeps_its_name_and_nothing_else_of_it_counts() {
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
            assert_eq!(saved_as(name).to_string(), header);
        }
    }
}
