//! How a search compares words.

/// Whether all the words begin somewhere in the text, which is in lower case.
pub fn holds(text: &str, words: &str) -> bool {
    words.to_lowercase().split_whitespace().all(|word| begins(text, word))
}

/// Within a word it would be chance, like “rate” in “generate”.
pub fn begins(text: &str, word: &str) -> bool {
    let is_start = |at: usize| !text[..at].ends_with(char::is_alphanumeric);
    text.match_indices(word).any(|(at, _)| is_start(at) || !word.starts_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_where_they_begin() {
        for (text, words, found) in [
            ("x-ratelimit-limit: 1000", "rate limit", true),
            ("rate_limit_exceeded", "RATE limit", true),
            ("generate a token", "rate", false),
            ("get /api/v1/aliases", "/api/v1/aliases", true),
            ("lists aliases", "alias list", true),
            ("lists aliases", "", true),
        ] {
            assert_eq!(holds(text, words), found, "{text}: {words}");
        }
    }
}
