//! Selects the stored part of a message. Of a refused message only the beginning is stored, because anyone
//! can send any amount of refused mail.

use super::arrival::Arrival;
use super::parse::{File, Parsed, body_at, words_of};
use crate::store::columns::MessageState;
use crate::store::ids::TeamId;

/// The stored bytes of a refused message's body, and of its header.
const MAX_BODY: usize = 64 << 10;
const MAX_HEADERS: usize = 64 << 10;

pub struct Excerpt<'a> {
    pub raw: &'a [u8],
    pub text: &'a str,
    pub html: Option<&'a str>,
    pub headers: &'a [(String, String)],
    /// Empty if only the beginning is stored, which can end before or within an attachment.
    pub attachments: &'a [File],
    parsed: &'a Parsed,
}

impl<'a> Excerpt<'a> {
    pub fn of(state: MessageState, arrival: &'a Arrival) -> Self {
        let Arrival { parsed, raw, .. } = arrival;
        let Parsed { text, html, headers, attachments, .. } = parsed;
        let whole = Self { raw, text, html: html.as_deref(), headers, attachments, parsed };
        match state.is_blocked_or_rejected() {
            true => whole.beginning(),
            false => whole,
        }
    }

    fn beginning(self) -> Self {
        let bytes = match body_at(&self.raw[..self.raw.len().min(MAX_HEADERS)]) {
            0 => MAX_HEADERS,
            body => body + MAX_BODY,
        };
        if self.raw.len() <= bytes {
            return self;
        }
        let clip = |text: &'a str| &text[..text.floor_char_boundary(MAX_BODY)];
        let mut remaining = MAX_HEADERS;
        let fits = |(name, value): &&(String, String)| {
            let length = name.len() + value.len();
            let fits = length <= remaining;
            remaining = remaining.saturating_sub(length);
            fits
        };
        Self {
            raw: &self.raw[..bytes],
            text: clip(self.text),
            html: self.html.map(clip),
            headers: &self.headers[..self.headers.iter().take_while(fits).count()],
            attachments: &[],
            ..self
        }
    }

    /// Returns `None` if the whole message is stored.
    pub fn stored_bytes(&self, arrival: &Arrival) -> Option<i64> {
        (self.raw.len() < arrival.raw.len()).then_some(self.raw.len() as i64)
    }

    pub fn words(&self, team: TeamId) -> String {
        match self.text.len() == self.parsed.text.len() {
            true => self.parsed.words.of_team(team),
            false => words_of(self.parsed, self.text).of_team(team),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    fn arrival(raw: String) -> Arrival {
        let parsed = parse(raw.as_bytes());
        let (raw, authentication) = (raw.into_bytes().into(), Default::default());
        Arrival {
            envelope_from: None,
            helo: "mx.test".into(),
            ip: None,
            tls: false,
            raw,
            parsed,
            authentication,
        }
    }

    fn with_file(size: usize) -> Arrival {
        let head = "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
        let text = format!("--b\r\nContent-Type: text/plain\r\n\r\n{}\r\n", "words and ".repeat(size / 10));
        let file =
            "--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment\r\n\r\nPNG\r\n--b--\r\n";
        arrival([head, &text, file].concat())
    }

    #[test]
    fn only_the_beginning_of_a_refused_message_is_stored() {
        let long = with_file(500_000);
        let whole = Excerpt::of(MessageState::Delivered, &long);
        assert_eq!((whole.raw, whole.stored_bytes(&long), whole.attachments.len()), (&long.raw[..], None, 1));
        let stored = Excerpt::of(MessageState::Rejected, &long);
        assert!(
            stored.raw.len() > MAX_BODY
                && stored.raw.len() < MAX_BODY + 200
                && long.raw.starts_with(stored.raw)
        );
        assert_eq!(
            (stored.stored_bytes(&long), stored.attachments.len()),
            (Some(stored.raw.len() as i64), 0)
        );
        assert!(stored.text.len() == MAX_BODY && stored.headers.len() == 3);
        let short = with_file(1000);
        let stored = Excerpt::of(MessageState::Denied, &short);
        assert_eq!(
            (stored.raw, stored.stored_bytes(&short), stored.attachments.len()),
            (&short.raw[..], None, 1)
        );
    }

    #[test]
    fn long_headers_of_refused_messages_are_cut() {
        for line in ["X-Many: of them\r\n".to_owned(), format!("X-Long: {}\r\n", "x".repeat(900))] {
            let headers = line.repeat(2_000_000 / line.len());
            for raw in [headers.clone() + "\r\nbody", headers] {
                let long = arrival(raw);
                let stored = Excerpt::of(MessageState::Rejected, &long);
                let headers: usize =
                    stored.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
                assert!(
                    stored.raw.len() <= MAX_HEADERS
                        && headers <= MAX_HEADERS
                        && stored.text.len() <= MAX_BODY
                );
            }
        }
    }
}
