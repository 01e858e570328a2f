use std::fmt;

use engagement::EmailAddress;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    domain::DomainName, error::ContentError, header::phrase, line::short_line,
    sources::ContentFiles,
};

/// Who writes to the customers: `brand.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    /// The company that the customers know.
    #[serde(deserialize_with = "short_line")]
    pub partner: String,
    /// What its bill payment is called.
    #[serde(deserialize_with = "short_line")]
    pub product: String,
    /// Language of all messages (BCP 47).
    pub language: String,
    /// Where customers can ask.
    pub support_address: EmailAddress,
    /// Postal address of the sender, which commercial mail in the US must name (16 CFR 316).
    pub postal_address: String,
    /// Ends the ids of the mailing lists, one for each kind of mail (RFC 2919).
    pub list_domain: DomainName,
    /// Links lead to paths below this address.
    pub action_base_url: HttpsUrl,
    /// `utm_source` of all links.
    pub utm_source: String,
    /// A picture at the top of mails.
    pub logo: Option<Logo>,
    /// The colours of mails.
    pub colours: Colours,
}

/// A picture that stands for the partner; its text is the partner's name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logo {
    /// Where mail clients load it from.
    pub url: HttpsUrl,
    /// Shown this wide, in pixels.
    pub width: u16,
}

/// Colours for readers who like their screen light, and for those who like it dark.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Colours {
    /// Used unless the mail client asks for dark ones.
    pub light: Palette,
    /// Used when the mail client asks for dark ones.
    pub dark: Palette,
}

/// The colours of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Palette {
    /// Around the letter.
    pub background: Colour,
    /// The letter.
    pub surface: Colour,
    /// Text on the surface, and the name above it.
    pub text: Colour,
    /// Small print on the background.
    pub muted: Colour,
    /// The button.
    pub accent: Colour,
    /// Text on the button.
    pub accent_text: Colour,
}

impl Brand {
    pub(crate) fn from_files(sources: &ContentFiles) -> Result<Self, ContentError> {
        let brand: Self = sources.settings(ContentFiles::BRAND)?;
        brand.colours.light.check("light")?;
        brand.colours.dark.check("dark")?;
        Ok(brand)
    }

    /// The sender as a mail names it, `"Northlight Ledger" <engage@example.com>`: printable ASCII
    /// if the address is.
    pub fn sender(&self, address: &EmailAddress) -> String {
        format!("{} <{}>", phrase(&self.partner), address.expose())
    }

    /// The address of a path of the partner's product, `/bills/new` for instance.
    pub fn action_url(&self, path: &str) -> Result<HttpsUrl, ActionPathError> {
        let invalid = || ActionPathError(path.to_owned());
        let segments: Vec<&str> = path
            .strip_prefix('/')
            .ok_or_else(invalid)?
            .split('/')
            .collect();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if segments
            .iter()
            .any(|segment| segment.is_empty() || !segment.bytes().all(plain))
        {
            return Err(invalid());
        }
        let mut url = self.action_base_url.0.clone();
        url.path_segments_mut()
            .map_err(|()| invalid())?
            .pop_if_empty()
            .extend(segments);
        Ok(HttpsUrl(url))
    }

    /// The same, tagged for the web analytics: whose message the link stands in, and the `tags`
    /// that say which one.
    pub(crate) fn tagged_url(
        &self,
        path: &str,
        tags: &[(&str, &str)],
    ) -> Result<Url, ActionPathError> {
        let mut url = self.action_url(path)?.0;
        url.query_pairs_mut()
            .append_pair("utm_source", &self.utm_source)
            .extend_pairs(tags);
        Ok(url)
    }
}

/// A path that is not of the form `/word/word`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no path of the product, such as \"/bills/new\"")]
pub struct ActionPathError(String);

impl Palette {
    /// WCAG 2.2, success criterion 1.4.3.
    const MIN_CONTRAST: f64 = 4.5;

    fn check(&self, palette: &'static str) -> Result<(), ContentError> {
        let pairs = [
            ("text", &self.text, "surface", &self.surface),
            ("text", &self.text, "background", &self.background),
            ("muted", &self.muted, "background", &self.background),
            ("accent_text", &self.accent_text, "accent", &self.accent),
        ];
        for (text, text_colour, background, background_colour) in pairs {
            let contrast = text_colour.contrast(background_colour);
            if contrast < Self::MIN_CONTRAST {
                return Err(ContentError::Contrast {
                    palette,
                    text,
                    background,
                    contrast,
                });
            }
        }
        Ok(())
    }
}

/// An https address without user, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct HttpsUrl(Url);

impl HttpsUrl {
    /// The address.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for HttpsUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl TryFrom<String> for HttpsUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let url = Url::parse(&text).map_err(|error| format!("{text:?} is no URL: {error}"))?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if url.scheme() == "https" && bare {
            Ok(Self(url))
        } else {
            Err(format!(
                "{text:?} is not an https address without user, query and fragment"
            ))
        }
    }
}

/// A colour as `#rrggbb`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Colour {
    text: String,
    channels: [u8; 3],
}

impl Colour {
    /// As CSS writes it.
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
        let digits_only =
            text.len() == 7 && text.bytes().skip(1).all(|byte| byte.is_ascii_hexdigit());
        match (channel(0..2), channel(2..4), channel(4..6)) {
            (Some(red), Some(green), Some(blue)) if digits_only => Ok(Self {
                channels: [red, green, blue],
                text,
            }),
            _ => Err(format!("{text:?} is no colour such as \"#17594a\"")),
        }
    }
}
