//! Joins the lines of `format=flowed` text (RFC 3676): a line with a space at its end continues on the next.

pub fn unflow(text: &str, del_sp: bool) -> String {
    let mut whole = String::with_capacity(text.len());
    // The quote depth of the paragraph that continues.
    let mut open: Option<usize> = None;
    for (number, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let depth = line.bytes().take_while(|byte| *byte == b'>').count();
        let content = &line[depth..];
        let content = content.strip_prefix(' ').unwrap_or(content);
        let is_signature = content == "-- ";
        // An empty line ends a paragraph, although some programs leave a space before it.
        if open != Some(depth) || is_signature || content.is_empty() {
            whole.push_str(if number == 0 { "" } else { "\n" });
            whole.push_str(&line[..depth]);
            whole.push_str(if depth > 0 && !content.is_empty() { " " } else { "" });
        }
        let is_flowed = content.ends_with(' ') && !is_signature;
        whole.push_str(if is_flowed && del_sp { &content[..content.len() - 1] } else { content });
        open = is_flowed.then_some(depth);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::unflow;

    #[test]
    fn paragraphs_are_joined() {
        for (text, whole) in [
            ("a \r\nb\r\n\r\nc\r\n", "a b\n\nc\n"),
            ("a \n-- \nb", "a \n-- \nb"),
            (" From x\n  y", "From x\n y"),
            ("> a \n> b\n>> c \nd", "> a b\n>> c \nd"),
            (">\n> a", ">\n> a"),
        ] {
            assert_eq!(unflow(text, false), whole, "{text:?}");
        }
        assert_eq!(unflow("春の \n日 \n\n> a \n> b", true), "春の日\n\n> ab");
    }
}
