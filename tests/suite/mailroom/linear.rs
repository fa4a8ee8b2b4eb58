//! Parsing time of malicious messages is linear: twice the size takes about twice as long.

use std::time::{Duration, Instant};

use gatepost::domain::mailroom::parse::parse;

/// The size of the smaller message in bytes.
const SIZE: usize = 256 << 10;
/// The maximum ratio of the two times. A quadratic parser takes four times as long.
const RATIO: u32 = 3;
/// Shorter times can't be distinguished from noise.
const NOISE: Duration = Duration::from_millis(15);

/// The start of a message and the text to repeat after it, in which each `#` becomes a number.
fn shapes() -> Vec<(&'static str, &'static str, &'static str)> {
    const PART: &str = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain";
    const MIXED: &str = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    vec![
        ("parameters", "Content-Type: text/plain", "; a#=b"),
        ("continued parameters", "Content-Type: text/plain", "; a#*1=b"),
        ("languages", "Content-Type: text/plain", "; a#*=b'c'd'e"),
        ("folded parameters", "Content-Type: text/plain", ";\r\n a#*1=b"),
        ("parameters of a part", PART, "; a#=b; c#*1=d"),
        ("languages of a part", PART, "; a#*=b'c'd'e"),
        ("folded parameters of a part", PART, ";\r\n a#*1=b"),
        ("parts", MIXED, "--b\r\n\r\nx\r\n"),
        ("parts with parameters", MIXED, "--b\r\nContent-Type: text/plain; a*1=b; a*2=b; c*1=d\r\n\r\nx\r\n"),
        ("lost boundaries", MIXED, "--b\r\nContent-Type: multipart/mixed; boundary=c#\r\n\r\n"),
        ("hyphens", MIXED, "-"),
        ("boundaries", MIXED, "--b"),
        ("fields", "Subject: x\r\n", "a: b\r\n"),
        ("addresses", "To: ", "a@b.test, "),
        ("groups", "To: ", "a:b;"),
        ("comments", "To: ", "("),
        ("quotes", "From: \"", "\\\""),
        ("encoded words", "Subject: ", "=?utf-8?b?R3LDvMOfZQ==?= "),
        ("half encoded words", "Subject: ", "=?utf-8?b?AAAA "),
        ("ids", "References: ", "<a@b> "),
        ("hops", "Received: ", "from a by b with c; "),
        ("lines", "Subject: x\r\n\r\n", "\r\n"),
        ("tags", "Content-Type: text/html\r\n\r\n", "<b>"),
        ("half tags", "Content-Type: text/html\r\n\r\n", "<"),
        ("ends", "Content-Type: text/html\r\n\r\n", "</"),
        ("comments in HTML", "Content-Type: text/html\r\n\r\n", "<!--"),
        ("references in HTML", "Content-Type: text/html\r\n\r\n", "&x"),
        ("base64", "Content-Transfer-Encoding: base64\r\n\r\n", "AAAA"),
        ("quoted-printable", "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "=FF"),
        ("nests", "", "Content-Type: message/rfc822\r\n\r\n"),
        ("carriage returns", "Subject: x\r\n\r\n", "\r"),
    ]
}

fn time(raw: &[u8]) -> Duration {
    let begun = Instant::now();
    std::hint::black_box(parse(raw));
    begun.elapsed()
}

/// The median of three.
fn median(raw: &[u8]) -> Duration {
    let mut times = [(); 3].map(|()| time(raw));
    times.sort();
    times[1]
}

#[test]
fn parsing_time_is_linear() {
    for (what, beginning, again) in shapes() {
        let of = |size: usize| {
            let each = (0..size / again.len()).map(|number| again.replace('#', &number.to_string()));
            [beginning, &each.collect::<String>(), "\r\n\r\n"].concat().into_bytes()
        };
        let (one, two) = (of(SIZE), of(2 * SIZE));
        // Repeated, because other tests may slow down the machine.
        let linear = (0..5).any(|_| median(&two) <= median(&one).max(NOISE) * RATIO);
        assert!(linear, "{what}: {:?} and {:?}", median(&one), median(&two));
    }
}
