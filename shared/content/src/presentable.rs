//! Names as customers typed them, made fit to be read in a mail.

use engagement::Name;
use unicode_segmentation::UnicodeSegmentation;

/// The name on one line, shortened to `max_characters`. `None` when nothing readable is left, or
/// when it holds an address that mail clients would turn into a link: whoever picks a name must not
/// choose where our mails lead.
pub(crate) fn presentable(name: Option<&Name>, max_characters: usize) -> Option<String> {
    let line = to_single_line(name?.expose());
    let is_readable = line.chars().any(|character| !character.is_whitespace());
    let lower = line.to_lowercase();
    let is_link = lower.contains("://") || lower.contains("www.");
    (is_readable && !is_link).then(|| shortened(&line, max_characters))
}

/// The text without line breaks, control characters, invisible characters that reorder text, and
/// repeated spaces.
pub(crate) fn to_single_line(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|character| {
            if breaks_line(character) {
                ' '
            } else {
                character
            }
        })
        .collect();
    let visible: String = visible
        .chars()
        .filter(|character| !is_invisible(*character))
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The beginning of the text, with an ellipsis where it was cut. Never cuts within what a reader
/// sees as one character.
pub(crate) fn shortened(text: &str, max_characters: usize) -> String {
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

/// Zero-width spaces, marks and overrides of the writing direction (UAX #9), and code points that
/// are no characters. Not the joiners U+200C and U+200D: scripts and emoji need them.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        || u32::from(character) & 0xfffe == 0xfffe
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
    fn names_become_one_short_line(#[case] name: &str, #[case] expected: Option<&str>) {
        assert_eq!(presentable(Some(&Name::new(name)), 25).as_deref(), expected);
    }

    #[test]
    fn no_name_stays_no_name() {
        assert_eq!(presentable(None, 25), None);
    }
}
