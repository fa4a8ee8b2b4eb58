//! The files in `winmail.dat`, Outlook's own format for attachments (MS-OXTNEF).

use std::ops::Range;

use encoding_rs::UTF_16LE;

use super::charset::Charset;

const SIGNATURE: [u8; 4] = 0x223e_9f78_u32.to_le_bytes();
const MAX_FILES: usize = 100;

/// Attributes, each a kind of value and a number.
const OEM_CODE_PAGE: u32 = 0x0006_9007;
const ATTACHMENT_BEGINS: u32 = 0x0006_9002;
const ATTACHMENT_TITLE: u32 = 0x0001_8010;
const ATTACHMENT_DATA: u32 = 0x0006_800f;
const ATTACHMENT_PROPERTIES: u32 = 0x0006_9005;

/// Properties of an attachment.
const DATA: u16 = 0x3701;
const SHORT_NAME: u16 = 0x3704;
const LONG_NAME: u16 = 0x3707;
const MIME_TYPE: u16 = 0x370e;
const CONTENT_ID: u16 = 0x3712;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    pub name: Option<String>,
    pub content_type: Option<String>,
    pub content_id: Option<String>,
    /// Its place in the bytes of `winmail.dat`.
    pub place: Range<usize>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Opened {
    pub files: Vec<File>,
    /// Whether every attachment is in `files`. Messages and objects within the format are not.
    pub is_complete: bool,
}

/// Reads as far as the format is valid. `None` if it is another format.
pub fn open(bytes: &[u8]) -> Option<Opened> {
    let mut reader = Reader { bytes, at: 0 };
    if !bytes.starts_with(&SIGNATURE) {
        return None;
    }
    // The signature and a key.
    reader.take(6)?;
    let mut files: Vec<Attachment> = Vec::new();
    let mut charset = Charset::Guess;
    while let Some((attribute, value)) = reader.attribute() {
        match attribute {
            OEM_CODE_PAGE => charset = code_page(&bytes[value]),
            ATTACHMENT_BEGINS if files.len() <= MAX_FILES => files.push(Attachment::default()),
            ATTACHMENT_BEGINS => break,
            _ => {
                if let Some(file) = files.last_mut() {
                    file.set(attribute, bytes, value);
                }
            }
        }
    }
    let is_complete =
        files.len() <= MAX_FILES && files.iter().all(|file| file.data.is_some() && !file.is_object);
    let files = files.into_iter().take(MAX_FILES).filter_map(|file| file.finished(charset)).collect();
    Some(Opened { files, is_complete })
}

fn code_page(value: &[u8]) -> Charset {
    match value {
        [a, b, c, d, ..] => Charset::of(&format!("cp{}", u32::from_le_bytes([*a, *b, *c, *d]))),
        _ => Charset::Guess,
    }
}

/// A text whose charset is known only when all attributes have been read.
#[derive(Clone, Debug)]
enum Text {
    EightBit(Vec<u8>),
    Unicode(Vec<u8>),
}

impl Text {
    fn decode(self, charset: Charset) -> Option<String> {
        let text = match self {
            Self::EightBit(bytes) => charset.decode(&bytes),
            Self::Unicode(bytes) => UTF_16LE.decode_without_bom_handling(&bytes).0.into_owned(),
        };
        let text = text.split('\0').next().unwrap_or_default().trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

#[derive(Default)]
struct Attachment {
    title: Option<Text>,
    short_name: Option<Text>,
    long_name: Option<Text>,
    content_type: Option<Text>,
    content_id: Option<Text>,
    data: Option<Range<usize>>,
    is_object: bool,
}

impl Attachment {
    fn set(&mut self, attribute: u32, bytes: &[u8], value: Range<usize>) {
        match attribute {
            ATTACHMENT_TITLE => self.title = Some(Text::EightBit(bytes[value].to_vec())),
            ATTACHMENT_DATA => self.data = Some(value),
            ATTACHMENT_PROPERTIES => {
                let mut reader = Reader { bytes: &bytes[..value.end], at: value.start };
                let count = reader.u32().unwrap_or_default();
                for _ in 0..count {
                    match reader.property() {
                        Some(property) => self.set_property(&property, bytes),
                        None => break,
                    }
                }
            }
            _ => {}
        }
    }

    fn set_property(&mut self, property: &Property, bytes: &[u8]) {
        let value = property.value.clone();
        let text = match property.kind {
            Kind::Text => Some(Text::EightBit(bytes[value.clone()].to_vec())),
            Kind::Unicode => Some(Text::Unicode(bytes[value.clone()].to_vec())),
            Kind::Binary | Kind::Other => None,
        };
        match property.id {
            DATA if property.kind == Kind::Binary => {
                self.data.get_or_insert(value);
            }
            DATA => self.is_object = true,
            SHORT_NAME => self.short_name = text,
            LONG_NAME => self.long_name = text,
            MIME_TYPE => self.content_type = text,
            CONTENT_ID => self.content_id = text,
            _ => {}
        }
    }

    /// The data beside an object is only its icon.
    fn finished(self, charset: Charset) -> Option<File> {
        if self.is_object {
            return None;
        }
        let decoded = |text: Option<Text>| text.and_then(|text| text.decode(charset));
        Some(File {
            place: self.data?,
            name: decoded(self.long_name)
                .or_else(|| decoded(self.title))
                .or_else(|| decoded(self.short_name)),
            content_type: decoded(self.content_type).filter(|kind| kind.contains('/')),
            content_id: decoded(self.content_id),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Unicode,
    Binary,
    Other,
}

struct Property {
    id: u16,
    kind: Kind,
    /// Empty for a property of another kind or with several values.
    value: Range<usize>,
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Option<Range<usize>> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len())?;
        let start = std::mem::replace(&mut self.at, end);
        Some(start..end)
    }

    fn u16(&mut self) -> Option<u16> {
        let place = self.take(2)?;
        Some(u16::from_le_bytes(self.bytes[place].try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        let place = self.take(4)?;
        Some(u32::from_le_bytes(self.bytes[place].try_into().ok()?))
    }

    /// A level of one byte, a number, a length, the value, and a checksum of two bytes.
    fn attribute(&mut self) -> Option<(u32, Range<usize>)> {
        self.take(1)?;
        let attribute = self.u32()?;
        let length = self.u32()? as usize;
        let value = self.take(length)?;
        self.take(2)?;
        Some((attribute, value))
    }

    fn property(&mut self) -> Option<Property> {
        const HAS_SEVERAL: u16 = 0x1000;
        let (kind, id) = (self.u16()?, self.u16()?);
        if id >= 0x8000 {
            self.skip_property_name()?;
        }
        let is_variable = matches!(kind & !HAS_SEVERAL, 0x0d | 0x1e | 0x1f | 0x102);
        let count = if is_variable || kind & HAS_SEVERAL != 0 { self.u32()? } else { 1 };
        let mut value = 0..0;
        for number in 0..count {
            let length = match kind & !HAS_SEVERAL {
                _ if is_variable => self.u32()? as usize,
                0x02 | 0x03 | 0x04 | 0x0a | 0x0b => 4,
                0x05 | 0x06 | 0x07 | 0x14 | 0x40 => 8,
                0x48 => 16,
                _ => return None,
            };
            let place = self.take(length)?;
            self.take(length.wrapping_neg() % 4)?;
            if number == 0 {
                value = place;
            }
        }
        let kind = match kind {
            0x1e => Kind::Text,
            0x1f => Kind::Unicode,
            0x102 => Kind::Binary,
            _ => Kind::Other,
        };
        Some(Property { id, kind, value })
    }

    /// The name of a property that is not standard: a set, and a number or a text.
    fn skip_property_name(&mut self) -> Option<()> {
        self.take(16)?;
        let is_text = self.u32()? == 1;
        let length = self.u32()? as usize;
        if is_text {
            self.take(length)?;
            self.take(length.wrapping_neg() % 4)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(number: u32, value: &[u8]) -> Vec<u8> {
        let length = (value.len() as u32).to_le_bytes();
        [&[2][..], &number.to_le_bytes(), &length, value, &[0, 0]].concat()
    }

    /// A variable property, padded to four bytes.
    fn property(kind: u16, id: u16, value: &[u8]) -> Vec<u8> {
        let (one, length) = (1_u32.to_le_bytes(), (value.len() as u32).to_le_bytes());
        let padding = vec![0; value.len().wrapping_neg() % 4];
        [&kind.to_le_bytes()[..], &id.to_le_bytes(), &one, &length, value, &padding].concat()
    }

    fn properties(all: &[Vec<u8>]) -> Vec<u8> {
        [&(all.len() as u32).to_le_bytes()[..], &all.concat()].concat()
    }

    fn utf_16(text: &str) -> Vec<u8> {
        text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    }

    fn tnef(attributes: &[Vec<u8>]) -> Vec<u8> {
        [&SIGNATURE[..], &[1, 0], &attributes.concat()].concat()
    }

    type Saved = (Option<String>, Vec<u8>);

    fn read(bytes: &[u8]) -> (Vec<Saved>, bool) {
        let Opened { files, is_complete } = open(bytes).expect("the format");
        (files.into_iter().map(|file| (file.name, bytes[file.place].to_vec())).collect(), is_complete)
    }

    #[test]
    fn files_are_found_with_their_names() {
        let named_property =
            [&0x1e_u16.to_le_bytes()[..], &0x8001_u16.to_le_bytes(), &[7; 16], &1_u32.to_le_bytes()].concat();
        let named_property = [named_property, 6_u32.to_le_bytes().to_vec(), b"abcdef\0\0".to_vec()].concat();
        let named_property =
            [named_property, 1_u32.to_le_bytes().to_vec(), 1_u32.to_le_bytes().to_vec(), b"x\0\0\0".to_vec()]
                .concat();
        let several =
            [&0x1003_u16.to_le_bytes()[..], &0x3000_u16.to_le_bytes(), &2_u32.to_le_bytes(), &[0; 8]]
                .concat();
        let bytes = tnef(&[
            attribute(OEM_CODE_PAGE, &[0xe4, 4, 0, 0, 0, 0, 0, 0]),
            attribute(ATTACHMENT_BEGINS, &[0; 14]),
            attribute(ATTACHMENT_TITLE, b"L\xf6we.txt\0"),
            attribute(ATTACHMENT_DATA, b"one"),
            attribute(ATTACHMENT_BEGINS, &[0; 14]),
            attribute(ATTACHMENT_TITLE, b"LANGER~1.PDF\0"),
            attribute(
                ATTACHMENT_PROPERTIES,
                &properties(&[
                    named_property,
                    several,
                    property(0x1f, LONG_NAME, &utf_16("Langer Name 春.pdf")),
                    property(0x1e, MIME_TYPE, b"application/pdf\0"),
                    property(0x1e, CONTENT_ID, b"a@x.test\0"),
                    property(0x102, DATA, b"two"),
                ]),
            ),
        ]);
        let (files, is_complete) = read(&bytes);
        let expected = [("Löwe.txt", b"one"), ("Langer Name 春.pdf", b"two")];
        assert_eq!(files, expected.map(|(name, bytes)| (Some(name.to_owned()), bytes.to_vec())));
        assert!(is_complete);
        let second = open(&bytes).expect("the format").files.remove(1);
        assert_eq!(
            (second.content_type.as_deref(), second.content_id.as_deref()),
            (Some("application/pdf"), Some("a@x.test"))
        );
    }

    #[test]
    fn unopened_attachments_are_reported() {
        let object = property(0x0d, DATA, &[0; 20]);
        let bytes = tnef(&[
            attribute(ATTACHMENT_DATA, b"before any attachment"),
            attribute(ATTACHMENT_BEGINS, &[]),
            attribute(ATTACHMENT_DATA, b"an icon"),
            attribute(ATTACHMENT_PROPERTIES, &properties(&[object])),
            attribute(ATTACHMENT_BEGINS, &[]),
            attribute(ATTACHMENT_DATA, b""),
        ]);
        assert_eq!(read(&bytes), (vec![(None, Vec::new())], false));
        let many = [attribute(ATTACHMENT_BEGINS, &[]), attribute(ATTACHMENT_DATA, b"x")].concat();
        let (files, is_complete) = read(&tnef(&vec![many; MAX_FILES + 1]));
        assert_eq!((files.len(), is_complete), (MAX_FILES, false));
        for bytes in [&b""[..], b"x\x9f>\"", b"PK\x03\x04 another format"] {
            assert_eq!(open(bytes), None);
        }
    }

    #[test]
    fn damaged_bytes_are_read_to_the_damage() {
        let whole = tnef(&[
            attribute(ATTACHMENT_BEGINS, &[0; 14]),
            attribute(ATTACHMENT_DATA, b"one"),
            attribute(ATTACHMENT_BEGINS, &[0; 14]),
            attribute(ATTACHMENT_PROPERTIES, &properties(&[property(0x1e, LONG_NAME, b"a.txt\0")])),
            attribute(ATTACHMENT_DATA, b"two"),
        ]);
        for end in 6..whole.len() {
            let Opened { files, .. } = open(&whole[..end]).expect("the format");
            assert!(files.iter().all(|file| file.place.end <= end));
        }
        for at in 6..whole.len() {
            for octet in [0, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = octet;
                let Opened { files, .. } = open(&bytes).expect("the format");
                assert!(files.iter().all(|file| file.place.end <= bytes.len()));
            }
        }
    }
}
