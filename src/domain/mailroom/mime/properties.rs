//! What holds for any message: it is read without a panic, to a bounded result.

use super::charset::Charset;
use super::content::{self, Content};
use super::header::{Header, LARGEST_HEADER};
use super::structure;
use super::{address, encoded_word};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail/cases");
const CHANGED: usize = 20;

/// The same numbers on each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

fn corpus() -> Vec<Vec<u8>> {
    let mut files: Vec<_> =
        std::fs::read_dir(FOLDER).expect("the corpus").map(|file| file.expect("a file").path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).expect("a message")).collect()
}

/// Changes what readers stumble over: octets, ends, and lines of other messages.
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

fn read(raw: &[u8]) {
    let parts = structure::read(raw);
    let body = content::charset_of(&parts);
    let Content { text, html, files } = content::read(raw, &parts);
    assert!(text.len() <= 8 * raw.len() + 200, "the text of {} bytes has {}", raw.len(), text.len());
    assert!(html.is_none_or(|html| html.len() <= 16 * raw.len() + 200));
    assert!(files.len() <= parts.len());
    for file in files {
        let part = &parts[file.index];
        assert!(part.start <= part.end && part.end <= raw.len() && file.size <= raw.len());
    }
    for (_, value) in Header::of(raw).fields {
        address::read(value, body);
        encoded_word::text_of(value, Charset::Guess);
    }
}

#[test]
fn changed_messages_are_read() {
    let (corpus, mut chance) = (corpus(), Chance(1));
    for message in &corpus {
        let mut raw = message.clone();
        for _ in 0..CHANGED {
            let other = &corpus[chance.below(corpus.len())];
            change(&mut raw, other, &mut chance);
            read(&raw);
        }
    }
}

/// In an unoptimised build, far below the largest size of a message: what is not linear shows.
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
        read(raw.as_bytes());
    }
    for piece in ["=?utf-8?q?", "=?utf-8?b?QQ==?= ", "<a@b>, ", "(", "\"", "a@b ", "@,", "=?a?b?\r\n "] {
        let value = piece.repeat(LARGEST_HEADER / piece.len());
        address::read(value.as_bytes(), Charset::Guess);
        encoded_word::text_of(value.as_bytes(), Charset::Guess);
    }
}
