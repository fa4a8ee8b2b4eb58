//! Compresses responses with Brotli or gzip, as the client prefers.
//!
//! The length of a compressed page reveals repetitions (BREACH): an attacker who can insert guesses into a page
//! and measure its size on the network can find a secret on it. So pages with a one-time secret
//! ([`ContainsSecret`]: a token, the team key, an invitation link) are not compressed. Nor are pages that another
//! site made the browser load, because an attack needs thousands of requests. Other pages contain no secret:
//! forms are protected without a token.

use std::io::{self, Write};
use std::sync::OnceLock;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{
    AcceptEncoding, CONTENT_ENCODING, CONTENT_TYPE, ETAG, Encoding, EntityTag, Header, HeaderMap,
    HeaderValue, IfNoneMatch, VARY,
};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use flate2::write::GzEncoder;

/// Smaller pages are not compressed, because they fit into one packet anyway.
const MIN_SIZE: u64 = 1024;

const VARY_ENCODING: HeaderValue = HeaderValue::from_static("Accept-Encoding");

/// Marks a response that must not be compressed, in its extensions.
pub struct ContainsSecret;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Brotli,
    Gzip,
}

impl Coding {
    /// Picks a coding that the client accepts, preferring Brotli because it compresses best.
    fn accepted(request: &impl HttpMessage) -> Option<Self> {
        let accepted = AcceptEncoding::parse(request).ok()?;
        let accepts = |coding: Encoding| {
            let chosen = accepted.negotiate([coding.clone(), Encoding::identity()].iter());
            chosen == Some(coding)
        };
        match () {
            () if accepts(Encoding::brotli()) => Some(Self::Brotli),
            () if accepts(Encoding::gzip()) => Some(Self::Gzip),
            () => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    fn compress(self, body: &[u8], effort: Effort) -> Bytes {
        let room = Vec::with_capacity(body.len() / 4);
        let written = match self {
            Self::Brotli => brotli(body, room, if effort == Effort::Once { 11 } else { 5 }),
            Self::Gzip => gzip(body, room, if effort == Effort::Once { 9 } else { 5 }),
        };
        written.expect("writing to memory can't fail").into()
    }
}

fn brotli(body: &[u8], room: Vec<u8>, quality: u32) -> io::Result<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(room, 16 << 10, quality, 22);
    encoder.write_all(body)?;
    Ok(encoder.into_inner())
}

fn gzip(body: &[u8], room: Vec<u8>, level: u32) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(room, flate2::Compression::new(level));
    encoder.write_all(body)?;
    encoder.finish()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// High, for a body that is compressed once and cached.
    Once,
    EachTime,
}

/// Compresses an HTML page. Files and streams stay unchanged.
pub fn compress_page(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    if !is_page(&response) {
        return response;
    }
    let coding = Coding::accepted(response.request()).filter(|_| is_allowed(&response));
    let mut used = None;
    let mut response = response.map_body(|_, body| match (coding, body.try_into_bytes()) {
        (Some(coding), Ok(plain)) => {
            used = Some(coding);
            BoxBody::new(coding.compress(&plain, Effort::EachTime))
        }
        (None, Ok(plain)) => BoxBody::new(plain),
        (_, Err(stream)) => stream,
    });
    let headers = response.headers_mut();
    headers.append(VARY, VARY_ENCODING);
    if let Some(coding) = used {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    response
}

fn is_page(response: &ServiceResponse<BoxBody>) -> bool {
    let headers = response.headers();
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_long = matches!(response.response().body().size(), BodySize::Sized(size) if size >= MIN_SIZE);
    is_long && kind.starts_with("text/html") && !headers.contains_key(CONTENT_ENCODING)
}

fn is_allowed(response: &ServiceResponse<BoxBody>) -> bool {
    !response.response().extensions().contains::<ContainsSecret>()
        && !is_from_another_site(response.request().headers())
}

fn is_from_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

/// A constant body. Each compressed form is cached on its first use.
pub struct Fixed {
    plain: Bytes,
    tag: String,
    kind: &'static str,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl Fixed {
    /// `tag` is the version of the body.
    pub fn new(kind: &'static str, tag: String, plain: Bytes) -> Self {
        Self { plain, tag, kind, brotli: OnceLock::new(), gzip: OnceLock::new() }
    }

    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Responds 200 or 304, with a separate strong tag for each coding (RFC 9110, section 8.8.1).
    pub fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let coding = Coding::accepted(request).filter(|_| self.is_text());
        let tag = self.tag_in(coding);
        let is_known = matches!(IfNoneMatch::parse(request), Ok(IfNoneMatch::Items(tags))
            if tags.iter().any(|each| each.weak_eq(&tag)));
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response.insert_header((ETAG, tag.to_string()));
        if self.is_text() {
            response.insert_header((VARY, VARY_ENCODING));
        }
        if is_known { response.finish() } else { self.body(response, coding) }
    }

    fn body(&self, mut response: HttpResponseBuilder, coding: Option<Coding>) -> HttpResponse {
        response.insert_header((CONTENT_TYPE, self.kind));
        let Some(coding) = coding else { return response.body(self.plain.clone()) };
        let kept = match coding {
            Coding::Brotli => &self.brotli,
            Coding::Gzip => &self.gzip,
        };
        let compress = || coding.compress(&self.plain, Effort::Once);
        response.insert_header((CONTENT_ENCODING, coding.name())).body(kept.get_or_init(compress).clone())
    }

    fn tag_in(&self, coding: Option<Coding>) -> EntityTag {
        EntityTag::new_strong(match coding {
            Some(coding) => format!("{}-{}", self.tag, coding.name()),
            None => self.tag.clone(),
        })
    }

    /// Fonts and images are already compressed.
    fn is_text(&self) -> bool {
        self.kind.starts_with("text/") || ["application/json", "image/svg+xml"].contains(&self.kind)
    }
}
