//! The colours of e-mails and pages, and their contrast.

use serde::Deserialize;

use crate::error::{ContentError, ContentErrorKind};

/// Minimum contrast ratio of text (WCAG 2.2, success criterion 1.4.3).
const MIN_CONTRAST: f64 = 4.5;

/// The colours for a light and a dark colour scheme.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Colours {
    /// Used unless the e-mail client or browser asks for dark colours.
    pub light: Palette,
    /// Used when the e-mail client or browser asks for dark colours.
    pub dark: Palette,
}

impl Colours {
    /// Checks that all texts are readable.
    pub(crate) fn validate_contrast(&self) -> Result<(), ContentError> {
        self.light.validate_contrast("light")?;
        self.dark.validate_contrast("dark")
    }
}

/// The colours for one colour scheme.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Palette {
    /// Behind header, body and footer.
    pub background: Colour,
    /// Behind the text of the body.
    pub surface: Colour,
    /// Text of the body and of the header.
    pub text: Colour,
    /// Text of the footer.
    pub muted: Colour,
    /// The button.
    pub accent: Colour,
    /// Text on the button.
    pub accent_text: Colour,
}

impl Palette {
    /// `palette` is the name of the palette, for the error.
    fn validate_contrast(&self, palette: &'static str) -> Result<(), ContentError> {
        let pairs = [
            ("text", &self.text, "surface", &self.surface),
            ("text", &self.text, "background", &self.background),
            ("muted", &self.muted, "background", &self.background),
            ("accent_text", &self.accent_text, "accent", &self.accent),
        ];
        for (text, text_colour, background, background_colour) in pairs {
            let contrast = text_colour.contrast(background_colour);
            if contrast < MIN_CONTRAST {
                return Err(ContentError::new(
                    "brand.toml",
                    ContentErrorKind::Contrast {
                        palette,
                        text,
                        background,
                        contrast,
                    },
                ));
            }
        }
        Ok(())
    }
}

/// A colour, as text `#rrggbb`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Colour {
    text: String,
    channels: [u8; 3],
}

impl Colour {
    /// The colour in CSS notation.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Contrast ratio, 1 to 21 (WCAG 2.2, definition of "contrast ratio").
    fn contrast(&self, other: &Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// 0 (black) to 1 (white) (WCAG 2.2, definition of "relative luminance").
    fn luminance(&self) -> f64 {
        let [red, green, blue] = self.channels.map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 {
                share / 12.92
            } else {
                ((share + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl TryFrom<String> for Colour {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let channel = |range| {
            text.strip_prefix('#')?
                .get(range)
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        };
        let has_only_digits =
            text.len() == 7 && text.bytes().skip(1).all(|byte| byte.is_ascii_hexdigit());
        match (channel(0..2), channel(2..4), channel(4..6)) {
            (Some(red), Some(green), Some(blue)) if has_only_digits => Ok(Self {
                channels: [red, green, blue],
                text,
            }),
            _ => Err(format!("{text:?} is not a colour such as \"#17594a\"")),
        }
    }
}
