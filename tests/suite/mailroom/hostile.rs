//! Messages that attack their parser.

use gatepost::domain::mailroom::parse::parse;
use gatepost::domain::mailroom::parts::attachment;

fn nested(depth: usize) -> String {
    "Content-Type: message/rfc822\r\n\r\n".repeat(depth) + "Subject: deep\r\n\r\nx"
}

/// Each would exhaust the stack, memory or time of a naive parser.
#[test]
fn hostile_messages_are_parsed() {
    let headers: String = (0..10_000).map(|n| format!("X-{n}: y\r\n")).collect();
    let parts =
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned() + &"--b\r\n\r\n".repeat(100_000);
    let lost: String = (0..20_000)
        .map(|n| format!("--b\r\nContent-Type: multipart/mixed; boundary=lost{n}\r\n\r\n"))
        .collect();
    let lost = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{lost}");
    let long = format!("Subject: {}\r\n\r\nx", "a".repeat(1 << 20));
    let words = format!("Subject: {}\r\n\r\nx", "=?utf-8?b?R3LDvMOfZQ==?= ".repeat(10_000));
    let addresses = format!("To: {}\r\n\r\nx", "a@b.test, ".repeat(100_000));
    for (what, raw) in [
        ("nothing", String::new()),
        ("a line", "\r\n".into()),
        ("no headers", "just text".into()),
        ("headers", headers + "Subject: x\r\n\r\nx"),
        ("nested", nested(200_000)),
        ("parts", parts),
        ("lost boundaries", lost),
        ("a long subject", long),
        ("encoded words", words),
        ("addresses", addresses),
        ("an empty boundary", "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nx".into()),
        ("an unending comment", format!("Content-Type: text/plain {}", "(".repeat(100_000))),
        ("lines", "\n".repeat(3_000_000)),
        ("a:", "a:\n".repeat(500_000)),
    ] {
        let parsed = parse(raw.as_bytes());
        assert!(parsed.subject.len() <= 998 && parsed.headers.len() <= 500, "{what}");
        assert!(parsed.attachments.len() <= 200 && parsed.recipients.to.len() <= 1000, "{what}");
        assert_eq!(attachment(raw.as_bytes(), 1_000_000_000), None, "{what}");
    }
}

/// Base64 hides it from a search of the raw message.
#[test]
fn an_encoded_nested_message_is_not_opened() {
    let inner = base64(nested(50_000).as_bytes());
    let raw = format!("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{inner}");
    let parsed = parse(raw.as_bytes());
    assert_eq!(parsed.attachments.len(), 1);
    assert_eq!(
        attachment(raw.as_bytes(), parsed.attachments[0].index).map(|it| it.len()),
        Some(nested(50_000).len())
    );
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let sextets = bytes.chunks(3).flat_map(|chunk| {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        (0..4)
            .map(move |n| if n <= chunk.len() { LETTERS[(bits >> (18 - 6 * n)) as usize & 63] } else { b'=' })
    });
    String::from_utf8(sextets.collect()).unwrap()
}
