//! Decodes text by the charset names used in mail. `encoding_rs` has the charsets of the web, but only some
//! of their names. Mail also uses DOS code pages, UTF-7 and 7-bit charsets. No
//! maintained crate decodes EUC-TW and Johab.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_8859_2, ISO_8859_15, KOI8_R, KOI8_U, MACINTOSH,
    SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_874, WINDOWS_1252,
};
use oem_cp::code_table::DECODING_TABLE_CP_MAP;
use oem_cp::code_table_type::TableType;

use super::seven_bit::{self, SevenBit};
use super::transfer::{Decoder, Encoding as Transfer};

#[derive(Clone, Copy)]
pub enum Charset {
    Web(&'static Encoding),
    CodePage(&'static TableType),
    SevenBit(SevenBit),
    Utf7,
    Utf16,
    Utf32,
    /// No charset is named, or an unknown one: UTF-8 if the bytes are valid UTF-8, otherwise Windows-1252.
    Guess,
}

impl Charset {
    pub fn of(label: &str) -> Self {
        let label = label.trim().to_ascii_lowercase();
        let compact: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
        let compact = compact.strip_prefix("cs").unwrap_or(&compact);
        let name = compact.strip_prefix('x').unwrap_or(compact);
        special_to_mail(name)
            .or_else(|| Encoding::for_label_no_replacement(label.as_bytes()).map(Self::Web))
            .or_else(|| Encoding::for_label_no_replacement(label.replace('_', "-").as_bytes()).map(Self::Web))
            .or_else(|| by_name(name))
            .or_else(|| numbered(name))
            .unwrap_or(Self::Guess)
    }

    pub fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Web(encoding) => encoding.decode(bytes).0.into_owned(),
            Self::CodePage(table) => table.decode_string_lossy(bytes),
            Self::SevenBit(kind) => kind.decode(bytes),
            Self::Utf7 => utf_7(bytes),
            Self::Utf16 => utf_16(bytes).decode(bytes).0.into_owned(),
            Self::Utf32 => utf_32(bytes),
            Self::Guess => guess(bytes),
        }
    }
}

/// Names that have another meaning in mail than in `encoding_rs`.
fn special_to_mail(name: &str) -> Option<Charset> {
    Some(match name {
        "iso2022jp" | "iso2022jp1" | "iso2022jp2" | "iso2022jp3" | "iso2022jp2004" | "iso2022jpms"
        | "cp50220" | "cp50221" | "cp50222" => Charset::SevenBit(SevenBit::Japanese),
        "iso2022kr" | "cp50225" => Charset::SevenBit(SevenBit::Korean),
        "iso2022cn" | "iso2022cnext" | "cp50227" => Charset::SevenBit(SevenBit::Chinese),
        "hz" | "hzgb2312" | "hzgb" => Charset::SevenBit(SevenBit::Hz),
        "utf7" | "unicode11utf7" | "unicode20utf7" | "utf7imap" | "cp65000" => Charset::Utf7,
        "utf16" | "unicode" | "ucs2" | "iso10646ucs2" | "utf16be" | "utf16le" => Charset::Utf16,
        "utf32" | "utf32be" | "utf32le" | "ucs4" | "iso10646ucs4" => Charset::Utf32,
        "ascii" | "usascii" | "ansix341968" | "ansix341986" | "iso646us" | "us" | "646" | "" | "unknown"
        | "unknown8bit" | "8bit" | "7bit" | "binary" | "default" | "none" => Charset::Guess,
        _ => return None,
    })
}

fn by_name(name: &str) -> Option<Charset> {
    Some(Charset::Web(match name {
        "utf8" | "utf8mb4" | "utf8sig" | "utf8bom" | "cesu8" | "unicode11utf8" | "unicode20utf8" => UTF_8,
        "ms949" | "uhc" | "ksc5601" | "ksc56011987" | "ksc56011992" | "euckr" | "korean" => EUC_KR,
        "ms932" | "sjis" | "shiftjis" | "shiftjis2004" | "shiftjisx0213" | "windows31j" | "mskanji" => {
            SHIFT_JIS
        }
        "eucjp" | "eucjpms" | "ujis" | "eucjis2004" | "eucjisx0213" => EUC_JP,
        "ms936" | "euccn" | "gb2312" | "gb231280" | "gbk" | "eucgb2312cn" => GBK,
        "gb18030" | "gb180302000" => GB18030,
        "ms950" | "big5" | "big5eten" | "big5hkscs" | "cnbig5" | "big5hkscs2004" => BIG5,
        "tis620" | "iso885911" | "ms874" => WINDOWS_874,
        "koi8" | "koi8r" => KOI8_R,
        "koi8u" | "koi8ru" => KOI8_U,
        "mac" | "macroman" | "macintosh" => MACINTOSH,
        "latin2" => ISO_8859_2,
        "latin9" | "latin0" => ISO_8859_15,
        "latin1" | "ansi" | "msansi" | "western" => WINDOWS_1252,
        _ => return None,
    }))
}

/// Names with a family and a number, like `cp-850`, `IBM00858`, `win1251` or `iso8859_2`.
fn numbered(name: &str) -> Option<Charset> {
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (family, number) = name.split_at(name.len() - digits);
    // The number of the standard, followed by the number of its part.
    if let Some(part) = name.strip_prefix("iso8859").or_else(|| name.strip_prefix("8859")) {
        return Encoding::for_label_no_replacement(format!("iso-8859-{part}").as_bytes()).map(Charset::Web);
    }
    let is_page = ["", "cp", "ibm", "ms", "win", "windows", "dos", "oem", "ccsid", "pc8codepage", "pcp"];
    if !is_page.contains(&family) {
        return None;
    }
    let number: u16 = number.parse().ok()?;
    let web = match number {
        932 | 942 | 943 => SHIFT_JIS,
        936 | 1386 => GBK,
        949 | 1363 | 51949 => EUC_KR,
        950 => BIG5,
        1200 | 1201 => return Some(Charset::Utf16),
        10000 => MACINTOSH,
        20127 => return Some(Charset::Guess),
        20866 => KOI8_R,
        21866 => KOI8_U,
        20932 | 51932 => EUC_JP,
        54936 => GB18030,
        65001 => UTF_8,
        1250..=1258 | 866 | 874 => Encoding::for_label(format!("windows-{number}").as_bytes())
            .or_else(|| Encoding::for_label(format!("ibm{number}").as_bytes()))?,
        28591..=28606 => Encoding::for_label(format!("iso-8859-{}", number - 28590).as_bytes())?,
        _ => return DECODING_TABLE_CP_MAP.get(&number).map(Charset::CodePage),
    };
    Some(Charset::Web(web))
}

fn guess(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(_) if let Some(kind) = seven_bit::detect(bytes) => kind.decode(bytes),
        Ok(_) => UTF_8.decode(bytes).0.into_owned(),
        Err(_) if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") => {
            UTF_8.decode(bytes).0.into_owned()
        }
        Err(_) => WINDOWS_1252.decode(bytes).0.into_owned(),
    }
}

/// Guesses the byte order of text without a byte order mark by the zero bytes in European letters.
/// [`Encoding::decode`] obeys a mark.
fn utf_16(bytes: &[u8]) -> &'static Encoding {
    let zeros = |odd: usize| bytes.iter().skip(odd).step_by(2).take(1000).filter(|byte| **byte == 0).count();
    if zeros(1) >= zeros(0) && zeros(1) > 0 { UTF_16LE } else { UTF_16BE }
}

/// Decodes UTF-7 (RFC 2152): `+` starts UTF-16 in base64, which ends at the first other character.
fn utf_7(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(plus) = memchr::memchr(b'+', rest) {
        text.push_str(&guess(&rest[..plus]));
        rest = &rest[plus + 1..];
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
            .count();
        let units = Decoder::whole(Transfer::Base64, &rest[..length]);
        match length {
            0 => text.push('+'),
            _ => text.push_str(&UTF_16BE.decode_without_bom_handling(&units[..units.len() & !1]).0),
        }
        rest = &rest[length..];
        // `+-` is a plus sign.
        rest = rest.strip_prefix(b"-").unwrap_or(rest);
    }
    text + &guess(rest)
}

fn utf_32(bytes: &[u8]) -> String {
    let is_little = bytes.first().is_some_and(|byte| *byte != 0);
    let code = |four: &[u8]| {
        let four = <[u8; 4]>::try_from(four).unwrap_or_default();
        if is_little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) }
    };
    let letters = bytes.chunks_exact(4).map(|four| char::from_u32(code(four)).unwrap_or('\u{fffd}'));
    letters.filter(|c| *c != '\u{feff}').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(label: &str, bytes: &[u8]) -> String {
        Charset::of(label).decode(bytes)
    }

    #[test]
    fn utf_7_is_decoded() {
        for (bytes, text) in [
            (&b"F+AOQ-hre +bjg-"[..], "Fähre 游"),
            (b"1 +- 1 +AOQ.", "1 + 1 ä."),
            (b"+AOQA5A-x", "ääx"),
            (b"a+", "a+"),
            (b"+2D3eAA-", "😀"),
        ] {
            assert_eq!(decoded("utf-7", bytes), text);
        }
    }

    #[test]
    fn charsets_are_found_by_any_name() {
        for (labels, bytes, text) in [
            ("utf-8 UTF8 utf_8 cp65001 x-utf-8 us-ascii unknown-8bit x-nonsense", &b"\xc3\xa4"[..], "ä"),
            (
                "iso-8859-1 latin1 Latin-1 iso8859_1 iso88591 windows-1252 cp1252 win1252 us-ascii",
                b"\xe4",
                "ä",
            ),
            ("iso-8859-2 ISO8859-2 iso8859_2 latin2 cp28592", b"\xb1", "ą"),
            ("ibm437 cp437 437 IBM-437 csPC8CodePage437 cp-437 x-cp437", b"\x84", "ä"),
            ("cp852 ibm852 csPCp852 dos-852", b"\xa7", "ž"),
            ("cp850 ibm850 IBM00858", b"\x84", "ä"),
            ("cp866 ibm866 dos-866", b"\x80", "А"),
            ("windows-1251 cp1251 win-1251 x-cp1251", b"\xc0", "А"),
            ("ms949 cp949 windows-949 x-windows-949 uhc euc-kr ks_c_5601-1987", b"\x8c\x63", "똠"),
            ("cp932 ms932 windows-31j shift_jis x-sjis sjis", b"\x87\x40", "①"),
            ("gb2312 gbk cp936 x-gbk euc-cn", b"\xc4\xe3", "你"),
            ("big5 cp950 big5-hkscs", b"\xa7\x41", "你"),
            ("utf-7 unicode-1-1-utf-7 UNICODE-2-0-UTF-7 x-unicode-2-0-utf-7 csUTF7", b"+aXs-", "楻"),
            ("utf-16 utf-16le ucs-2", b"a\0b\0", "ab"),
            ("utf-16 utf-16be iso-10646-ucs-2", b"\0a\0b", "ab"),
            ("utf-32 utf-32be", b"\0\0\0a", "a"),
            ("tis-620 iso-8859-11 windows-874", b"\xa1", "ก"),
            ("koi8-r koi8r cskoi8r", b"\xc1", "а"),
        ] {
            for label in labels.split(' ') {
                assert_eq!(decoded(label, bytes), text, "{label}");
            }
        }
    }
}
