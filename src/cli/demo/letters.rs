//! Letters of [`super::script`], and the messages made from them.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use super::calendar::{DOMAIN, When};
use crate::domain::Timestamp;
use crate::domain::mailroom::authentication::{Authentication, Check, Dmarc, Policy, Verdict};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

pub struct Letter {
    pub when: When,
    pub from: Sender,
    /// An alias at the team's own domain.
    pub to: &'static str,
    /// A later letter of the same sender with this subject is a reply to it.
    pub subject: &'static str,
    pub text: &'static str,
    pub html: Option<&'static str>,
    pub file: Option<File>,
    pub proof: Proof,
    /// Whether someone in the team has opened it.
    pub read: bool,
}

#[derive(Clone, Copy)]
pub struct Sender {
    pub name: &'static str,
    pub address: &'static str,
}

impl Sender {
    pub fn domain(&self) -> &'static str {
        self.address.split_once('@').map_or("", |(_, domain)| domain)
    }
}

pub enum File {
    /// The name, and the lines of the only page.
    Pdf(&'static str, &'static [&'static str]),
    Csv(&'static str, &'static str),
    Png(&'static str, &'static [u8]),
    /// Summary, place, and the days from the letter to the event.
    Invitation(&'static str, &'static str, i64),
}

/// The results of SPF, DKIM and DMARC.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    Passes,
    /// The domain publishes nothing.
    Nothing,
    /// The message was relayed by a server that the domain does not name.
    Unsure,
    /// A forgery that the domain asks to refuse.
    Forged,
}

/// The defaults of a letter.
pub const PLAIN: Letter = Letter {
    when: (0, 0, 0),
    from: Sender { name: "", address: "" },
    to: "hello",
    subject: "",
    text: "",
    html: None,
    file: None,
    proof: Proof::Passes,
    read: true,
};

impl Proof {
    pub fn of(self, domain: &str) -> Authentication {
        let check = |result| Check { result, domain: Some(domain.to_owned()), ..Check::default() };
        let signed = |result| Check { selector: Some("mail".into()), ..check(result) };
        let dmarc = |result, policy| Dmarc {
            result,
            domain: Some(domain.to_owned()),
            policy: Some(policy),
            ..Dmarc::default()
        };
        match self {
            Self::Passes => Authentication {
                spf: check(Verdict::Pass),
                dkim: vec![signed(Verdict::Pass)],
                dmarc: dmarc(Verdict::Pass, Policy::Quarantine),
            },
            Self::Nothing => Authentication::default(),
            Self::Unsure => Authentication {
                spf: check(Verdict::SoftFail),
                dkim: Vec::new(),
                dmarc: dmarc(Verdict::Fail, Policy::None),
            },
            Self::Forged => Authentication {
                spf: check(Verdict::Fail),
                dkim: vec![signed(Verdict::Fail)],
                dmarc: dmarc(Verdict::Fail, Policy::Reject),
            },
        }
    }
}

impl Letter {
    pub fn recipient(&self) -> String {
        format!("{}@{DOMAIN}", self.to)
    }

    /// `id` belongs to this letter, and `earlier` to the one that it replies to.
    pub fn message(&self, at: Timestamp, id: &str, earlier: Option<&str>) -> Result<Message, Failure> {
        let from = Mailbox::new(Some(self.from.name.to_owned()), self.from.address.parse()?);
        let to = Mailbox::new(Some("Acme".to_owned()), self.recipient().parse()?);
        let since_1970 = Duration::from_micros(u64::try_from(at.micros())?);
        let mut head = Message::builder()
            .from(from)
            .to(to)
            .date(UNIX_EPOCH + since_1970)
            .message_id(Some(format!("<{id}>")));
        head = match earlier {
            Some(id) => head
                .subject(format!("Re: {}", self.subject))
                .in_reply_to(format!("<{id}>"))
                .references(format!("<{id}>")),
            None => head.subject(self.subject),
        };
        let text = || SinglePart::plain(self.text.to_owned());
        let alternative =
            |html: &str| MultiPart::alternative_plain_html(self.text.to_owned(), html.to_owned());
        let file = self.file.as_ref().map(|file| file.part(at)).transpose()?;
        Ok(match (self.html, file) {
            (None, None) => head.singlepart(text())?,
            (Some(html), None) => head.multipart(alternative(html))?,
            (None, Some(file)) => head.multipart(MultiPart::mixed().singlepart(text()).singlepart(file))?,
            (Some(html), Some(file)) => {
                head.multipart(MultiPart::mixed().multipart(alternative(html)).singlepart(file))?
            }
        })
    }
}

impl File {
    fn part(&self, at: Timestamp) -> Result<SinglePart, Failure> {
        let attach = |name: &str, kind: &str, content: Vec<u8>| -> Result<SinglePart, Failure> {
            Ok(Attachment::new(name.to_owned()).body(content, ContentType::parse(kind)?))
        };
        match self {
            Self::Pdf(name, lines) => attach(name, "application/pdf", pdf(lines)),
            Self::Csv(name, content) => attach(name, "text/csv", content.as_bytes().to_vec()),
            Self::Png(name, content) => attach(name, "image/png", content.to_vec()),
            Self::Invitation(summary, place, days) => {
                let begins = at.plus(time::Duration::days(*days)).utc().date();
                let content = invitation(summary, place, begins);
                attach("invite.ics", "text/calendar; charset=utf-8; method=REQUEST", content.into_bytes())
            }
        }
    }
}

/// Renders one page of text: the objects, and a table of their positions.
fn pdf(lines: &[&str]) -> Vec<u8> {
    let text: String = lines.iter().map(|line| format!("({line}) Tj T*\n")).collect();
    let page = format!("BT /F1 12 Tf 16 TL 72 770 Td\n{text}ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let (mut file, mut places) = ("%PDF-1.4\n".to_owned(), String::new());
    for (number, object) in (1..).zip(&objects) {
        places.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let (table, size) = (file.len(), objects.len() + 1);
    file.push_str(&format!(
        "xref\n0 {size}\n0000000000 65535 f \n{places}trailer\n<< /Size {size} /Root 1 0 R >>\n\
         startxref\n{table}\n%%EOF\n"
    ));
    file.into_bytes()
}

fn invitation(summary: &str, place: &str, day: time::Date) -> String {
    let (year, month, day) = (day.year(), u8::from(day.month()), day.day());
    let moment = |hour| format!("{year:04}{month:02}{day:02}T{hour:02}0000Z");
    [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Nordmesse//Invitations//EN",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        &format!("UID:{}@nordmesse.example", moment(9)),
        &format!("DTSTAMP:{}", moment(8)),
        &format!("DTSTART:{}", moment(9)),
        &format!("DTEND:{}", moment(11)),
        &format!("SUMMARY:{summary}"),
        &format!("LOCATION:{place}"),
        "ORGANIZER;CN=Nordmesse:mailto:visitors@nordmesse.example",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    .join("\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pdf_table_has_the_offsets_of_all_objects() {
        let file = String::from_utf8(pdf(&["Invoice 1", "Total 2.00"])).unwrap();
        let (_, table) = file.split_once("0000000000 65535 f \n").unwrap();
        let places = table.lines().take_while(|line| line.ends_with(" n "));
        let mut objects = 0;
        for (number, place) in (1..).zip(places) {
            let at: usize = place[..10].parse().unwrap();
            assert!(file[at..].starts_with(&format!("{number} 0 obj")), "{place}");
            objects = number;
        }
        assert_eq!(objects, 5);
    }
}
