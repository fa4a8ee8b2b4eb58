//! Base subjects, without prefixes of replies and lists (RFC 5256, section 2.1).

/// `Re` and `Fwd` in the languages of common mail programs.
const PREFIXES: [&str; 46] = [
    "re",
    "res",
    "sv",
    "antw",
    "antwort",
    "ref",
    "aw",
    "απ",
    "השב",
    "vá",
    "r",
    "rif",
    "bls",
    "odp",
    "ynt",
    "atb",
    "رد",
    "回复",
    "回覆",
    "答复",
    "转发",
    "轉寄",
    "fwd",
    "fw",
    "rv",
    "enc",
    "vs",
    "doorst",
    "vl",
    "tr",
    "wg",
    "πρθ",
    "הועבר",
    "továbbítás",
    "i",
    "fs",
    "trs",
    "vb",
    "pd",
    "i̇lt",
    "ilt",
    "yml",
    "إعادة توجيه",
    "回信",
    "답장",
    "전달",
];

/// Returns the base subject, and whether a reply prefix was removed.
pub fn base(subject: &str) -> (&str, bool) {
    let (mut rest, mut is_reply) = (subject.trim(), false);
    loop {
        if let Some(inner) = without_prefix(rest) {
            (rest, is_reply) = (inner, true);
        } else if let Some(inner) = without_list(rest) {
            rest = inner;
        } else {
            return (rest, is_reply);
        }
    }
}

/// Removes `Re:`, `RE[2]:`, `Re (3)：` and the like.
fn without_prefix(text: &str) -> Option<&str> {
    let colon = text.find([':', '：'])?;
    let (before, after) = (&text[..colon], text[colon..].trim_start_matches([':', '：']));
    if before.len() > 40 {
        return None;
    }
    let prefix = before.trim_end_matches(|c: char| c.is_ascii_digit() || "[]()*^ ".contains(c));
    PREFIXES.contains(&prefix.to_lowercase().as_str()).then(|| after.trim())
}

/// Removes `[list]`, unless the subject consists only of that.
fn without_list(text: &str) -> Option<&str> {
    let (_, after) = text.strip_prefix('[')?.split_once(']')?;
    let after = after.trim();
    (!after.is_empty()).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn prefixes_of_replies_and_lists_are_removed() {
        for (subject, text, is_reply) in [
            ("Lunch", "Lunch", false),
            ("Re: Lunch", "Lunch", true),
            ("AW: WG: Re[2]: Re (3): Lunch", "Lunch", true),
            ("[team] Re: Lunch", "Lunch", true),
            ("RE: [team] Lunch: when", "Lunch: when", true),
            ("[team] Lunch", "Lunch", false),
            ("[team]", "[team]", false),
            ("回复：午餐", "午餐", true),
            ("Report: done", "Report: done", false),
            ("Re:", "", true),
        ] {
            assert_eq!(base(subject), (text, is_reply), "{subject}");
        }
    }
}
