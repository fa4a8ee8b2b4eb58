//! Initials on a color, for people and apps without a picture.

/// How many colors `static/css/avatar.css` has.
const HUES: u32 = 9;

/// The color of an address, the same on every page and after a restart.
pub fn hue(address: &str) -> u32 {
    let hash = address.bytes().fold(2_166_136_261_u32, |hash, byte| {
        (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(16_777_619)
    });
    hash % HUES
}

/// One or two letters: the initials of the first and last word of the name, or else of the address.
pub fn initials(name: &str, address: &str) -> String {
    let source = if name.chars().any(char::is_alphanumeric) { name } else { address };
    let local = source.split('@').next().unwrap_or_default();
    let mut words = local.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty());
    let first = words.next().and_then(|it| it.chars().next());
    let last = words.next_back().and_then(|it| it.chars().next());
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_come_from_the_name_or_else_the_address() {
        assert_eq!(initials("Ada Lovelace", "ada@acme.test"), "AL");
        assert_eq!(initials("Ada Augusta King-Noel", ""), "AN");
        assert_eq!(initials("", "grace.hopper@navy.test"), "GH");
        assert_eq!(initials("…", "bob@acme.test"), "B");
        assert_eq!(initials("élan", ""), "É");
        assert_eq!(initials("", ""), "");
    }

    #[test]
    fn the_color_depends_only_on_the_address() {
        assert_eq!(hue("Ada@acme.test"), hue("ada@acme.test"));
        assert!((0..200).map(|n| hue(&format!("{n}@acme.test"))).all(|hue| hue < HUES));
    }
}
