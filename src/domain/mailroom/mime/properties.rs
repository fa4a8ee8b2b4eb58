//! What must be true of every message: reading it does not panic, and its result is bounded. The tests here
//! and the fuzz targets in `fuzz/` check it.

use super::charset::Charset;
use super::content::{self, Content};
use super::header::{Field, Fields, Header};
use super::structure::{self, MAX_PARTS};
use super::{address, encoded_word, tnef};
use crate::domain::mailroom::address::MailAddress;
use crate::domain::mailroom::{authors, parse};

pub fn check_header(raw: &[u8]) {
    let all: usize = Fields::of(raw)
        .map(|field| match field {
            Field::Named { name, value } => name.len() + 1 + value.len(),
            Field::Malformed => 1,
        })
        .sum();
    assert!(all <= raw.len());
    let header = Header::of(raw);
    assert!(header.body <= raw.len());
    if let Ok(domains) = authors::check(raw) {
        assert_eq!(header.all("From").count(), 1);
        assert!(!domains.is_empty());
    }
    for (_, value) in header.fields {
        encoded_word::text_of(value, Charset::Guess);
    }
}

/// A valid address is read as itself, so that all who compare it see the same.
pub fn check_address(value: &[u8]) {
    let entries = address::read(value, Charset::Guess);
    assert!(entries.len() <= value.len());
    for entry in entries {
        assert!(entry.address.len() <= 8 * value.len() + 100);
        let Some(domain) = entry.domain else { continue };
        assert!(entry.address.ends_with(&format!("@{domain}")), "{}", entry.address);
        let again = address::read_text(&entry.address);
        assert_eq!(again.len(), 1, "{}", entry.address);
        assert_eq!((&again[0].address, again[0].domain.as_ref()), (&entry.address, Some(&domain)));
        if let Some(parsed) = MailAddress::parse(&entry.address) {
            assert_eq!(parsed.to_string(), entry.address);
        }
    }
}

/// Parts are within their multipart, one after the other.
pub fn check_structure(raw: &[u8]) {
    let parts = structure::read(raw);
    assert!(!parts.is_empty() && parts.len() <= MAX_PARTS);
    for (index, part) in parts.iter().enumerate() {
        assert!(part.start <= part.end && part.end <= raw.len());
        assert_eq!(part.parent.is_none(), index == 0);
        let mut end = part.start;
        for &child in &part.children {
            let child = &parts[child];
            assert_eq!(child.parent, Some(index));
            assert!(end <= child.start && child.end <= part.end, "{end} {child:?} {}", part.end);
            end = child.end;
        }
    }
}

pub fn check_message(raw: &[u8]) {
    let parts = structure::read(raw);
    let body = content::charset_of(&parts);
    let Content { text, html, files } = content::read(raw, &parts);
    assert!(text.len() <= 8 * raw.len() + 200, "the text of {} bytes has {}", raw.len(), text.len());
    assert!(html.is_none_or(|html| html.len() <= 16 * raw.len() + 200));
    for file in files {
        let span = content::locate(raw, &parts, file.index).expect("the file");
        assert!(span.start <= span.end && span.end <= raw.len());
        assert!(file.size == span.length && span.skip + span.length <= raw.len());
    }
    for (_, value) in Header::of(raw).fields {
        address::read(value, body);
    }
    // DMARC checks the author that people see.
    if let (Ok(domains), Some(from)) = (authors::check(raw), parse::read(raw).from) {
        let domain = from.address.rsplit_once('@').map(|(_, domain)| domain);
        assert_eq!(domain, Some(domains[0].as_str()));
    }
}

pub fn check_tnef(bytes: &[u8]) {
    let Some(opened) = tnef::open(bytes) else { return };
    for file in opened.files {
        assert!(file.place.start <= file.place.end && file.place.end <= bytes.len());
        assert!(file.name.is_none_or(|name| name.len() <= 3 * bytes.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::MAX_HEADER;
    use super::*;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail/cases");
    const CHANGES: usize = 20;

    /// Random numbers that are the same on each run.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, max: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % max.max(1)
        }
    }

    fn corpus() -> Vec<Vec<u8>> {
        let mut files: Vec<_> =
            std::fs::read_dir(FOLDER).expect("the corpus").map(|file| file.expect("a file").path()).collect();
        files.sort();
        files.iter().map(|file| std::fs::read(file).expect("a message")).collect()
    }

    /// Cuts, removes or replaces bytes, or adds some of another message.
    fn change(raw: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
        const ODD: [&[u8]; 16] = [
            b"--",
            b"=",
            b"\"",
            b"(",
            b"<",
            b"@",
            b";",
            b"\r\n",
            b"\r\n\r\n",
            b"=?utf-8?q?",
            b"?=",
            b"\x1b$B",
            b"~{",
            b"\0",
            b"\xff",
            b"*0*=",
        ];
        let at = chance.below(raw.len());
        match chance.below(5) {
            0 => raw.truncate(at),
            1 => {
                let end = (at + chance.below(40)).min(raw.len());
                raw.drain(at..end);
            }
            2 => {
                let from = chance.below(other.len());
                let part = &other[from..(from + chance.below(200)).min(other.len())];
                raw.splice(at..at, part.iter().copied());
            }
            3 => {
                let octet = (chance.below(256)) as u8;
                raw.splice(at..(at + 1).min(raw.len()), [octet]);
            }
            _ => {
                raw.splice(at..at, ODD[chance.below(ODD.len())].iter().copied());
            }
        }
    }

    fn check(raw: &[u8]) {
        check_header(raw);
        check_structure(raw);
        check_message(raw);
    }

    #[test]
    fn changed_messages_are_read() {
        let (corpus, mut chance) = (corpus(), Chance(1));
        for message in &corpus {
            let mut raw = message.clone();
            for _ in 0..CHANGES {
                let other = &corpus[chance.below(corpus.len())];
                change(&mut raw, other, &mut chance);
                check(&raw);
            }
        }
    }

    #[test]
    fn earlier_findings_of_the_fuzzer_are_read() {
        let inner = "--m\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\nContent-Type: text/html\r\n";
        check(
            format!("Content-Type: multipart/mixed; boundary=m\r\n\r\n{inner}--m\r\n\r\nx\r\n--m--\r\n")
                .as_bytes(),
        );
    }

    /// Far smaller than the largest message, but without optimization quadratic time would take minutes.
    #[test]
    fn hostile_messages_are_read() {
        let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
        let fill = |piece: &str| piece.repeat((256 << 10) / piece.len());
        for raw in [
            fill("X: y\r\n"),
            fill("--b\r\n"),
            head.to_owned() + &fill("--b\r\n"),
            head.to_owned() + &fill("--b\r\nContent-Type: multipart/x; boundary=b\r\n\r\n"),
            head.to_owned() + &fill("--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n"),
            format!("Content-Type: text/plain{}\r\n\r\n", fill("; a*0*=b")),
            format!("Content-Type: text/plain; format=flowed\r\n\r\n{}", fill("> ")),
            format!("Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n{}", fill("a \r\n")),
            format!("Content-Type: text/html\r\n\r\n{}", fill("<a b='")),
            format!("Content-Type: text/calendar\r\n\r\nBEGIN:VEVENT\r\n{}", fill("ATTENDEE;X=\":y\r\n ")),
            format!("Content-Transfer-Encoding: base64\r\n\r\n{}", fill("Q=\r\n\r\n")),
            format!("Content-Transfer-Encoding: quoted-printable\r\n\r\n{}", fill("= \t")),
            format!("Content-Type: text/plain; charset=utf-7\r\n\r\n{}", fill("+AA-")),
            format!("Content-Type: text/plain; charset=hz-gb-2312\r\n\r\n{}", fill("~{")),
        ] {
            check(raw.as_bytes());
        }
        for piece in ["=?utf-8?q?", "=?utf-8?b?QQ==?= ", "<a@b>, ", "(", "\"", "a@b ", "@,", "=?a?b?\r\n "] {
            let value = piece.repeat(MAX_HEADER / piece.len());
            check_address(value.as_bytes());
            encoded_word::text_of(value.as_bytes(), Charset::Guess);
        }
        let begins = [&[2][..], &0x69002_u32.to_le_bytes(), &[0; 6]].concat();
        let data = [&[2][..], &0x6800f_u32.to_le_bytes(), &[1, 0, 0, 0, b'x', 0, 0]].concat();
        for attributes in [begins.clone(), data.clone(), [begins, data].concat(), vec![0; 11]] {
            let all = attributes.repeat((1 << 20) / attributes.len());
            check_tnef(&[&0x223e_9f78_u32.to_le_bytes()[..], &[0, 0], &all].concat());
        }
    }
}
