//! The last step of rendering: wrapped text, and HTML from MJML.

use std::collections::HashMap;

use mrml::prelude::render::RenderOptions;
use textwrap::{WordSeparator, WordSplitter};

/// Width of the text part, in columns.
const TEXT_WIDTH: usize = 76;

/// Wraps lines at spaces. Words longer than a line, such as links, are not split. Continuation
/// lines of numbered lists are indented.
pub(crate) fn wrap_text(text: &str) -> String {
    let mut lines: Vec<String> = text.trim().lines().map(wrap_line).collect();
    lines.push(String::new());
    lines.join("\n")
}

fn wrap_line(line: &str) -> String {
    if line.len() <= TEXT_WIDTH {
        // Keeps the trailing space that the signature separator "-- " needs (RFC 3676, section
        // 4.3).
        return line.to_owned();
    }
    let is_list_item = line
        .split_once(". ")
        .is_some_and(|(number, _)| number.parse::<u8>().is_ok());
    let options = textwrap::Options::new(TEXT_WIDTH)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .subsequent_indent(if is_list_item { "   " } else { "" });
    textwrap::fill(line, options)
}

/// Renders MJML to HTML. `Err`: what is wrong with the MJML and where. Does not quote the MJML.
pub(crate) fn render_mjml(mjml: &str) -> Result<String, String> {
    let parsed = mrml::parse(mjml).map_err(|error| error.to_string())?;
    if let Some(warning) = parsed.warnings.first() {
        return Err(format!("{} at {}", warning.kind, warning.span));
    }

    // By default mrml links web fonts of Google. E-mails must not load remote resources.
    let options = RenderOptions {
        disable_comments: true,
        social_icon_origin: None,
        fonts: HashMap::new(),
    };
    parsed
        .element
        .render(&options)
        .map_err(|error| error.to_string())
}
