//! Names as customers entered them, prepared for display in an e-mail.

use engagement::Name;
use unicode_segmentation::UnicodeSegmentation;

/// The name on one line, truncated to `max_characters`. `None` if nothing visible is left, or if
/// the name contains a URL that e-mail clients would turn into a link: a name must not be usable
/// for phishing.
pub(crate) fn display_name(name: Option<&Name>, max_characters: usize) -> Option<String> {
    let line = to_single_line(name?.expose());
    let is_visible = line.chars().any(|character| !character.is_whitespace());
    let lower = line.to_lowercase();
    let is_link = lower.contains("://") || lower.contains("www.");
    (is_visible && !is_link).then(|| truncate(&line, max_characters))
}

/// The text on one line: without control characters, invisible characters that reorder text, and
/// repeated spaces.
pub(crate) fn to_single_line(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|character| match character {
            character if breaks_line(character) => ' ',
            character => character,
        })
        .filter(|character| !is_invisible(*character))
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text, truncated to `max_characters` including an ellipsis. Does not split grapheme clusters.
pub(crate) fn truncate(text: &str, max_characters: usize) -> String {
    if text.chars().count() <= max_characters {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut characters = 1; // the ellipsis
    for grapheme in text.graphemes(true) {
        characters += grapheme.chars().count();
        if characters > max_characters {
            break;
        }
        kept.push_str(grapheme);
    }
    format!("{}…", kept.trim_end())
}

fn breaks_line(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Whether the character is a zero-width space, a mark or override of the writing direction (UAX
/// #9), or a noncharacter. The joiners U+200C and U+200D are not included: scripts and emoji need
/// them.
fn is_invisible(character: char) -> bool {
    let is_noncharacter = u32::from(character) & 0xfffe == 0xfffe;
    is_noncharacter
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Kestrel Bakehouse", Some("Kestrel Bakehouse"))]
    #[case(
        "  Kestrel \t Bakehouse\r\nBcc: x@y.example",
        Some("Kestrel Bakehouse Bcc: x…")
    )]
    #[case("\u{202e}esrever\u{2066}", Some("esrever"))]
    #[case("Booking.com", Some("Booking.com"))]
    #[case("Visit https://evil.example", None)]
    #[case("WWW.evil.example", None)]
    #[case(" \u{200b}\n", None)]
    #[case("", None)]
    #[case("👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", Some("👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦…"))]
    fn display_name_is_one_short_line_without_links(
        #[case] name: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(
            display_name(Some(&Name::new(name)), 25).as_deref(),
            expected
        );
    }

    #[test]
    fn missing_name_has_no_display_name() {
        assert_eq!(display_name(None, 25), None);
    }
}
