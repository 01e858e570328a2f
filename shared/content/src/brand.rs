//! The brand: who the e-mails and pages are from. Read from `brand.toml`.

use engagement::EmailAddress;
use serde::Deserialize;
use url::Url;

use crate::{
    action_path::{self, ActionPathError},
    colour::Colours,
    content_files::ContentFiles,
    domain_name::DomainName,
    error::ContentError,
    header::encode_phrase,
    https_url::HttpsUrl,
    text_setting::short_line,
};

/// `brand.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    /// The company that customers know.
    #[serde(deserialize_with = "short_line")]
    pub partner: String,
    /// The name of the partner's bill payment product.
    #[serde(deserialize_with = "short_line")]
    pub product: String,
    /// Language of all texts (BCP 47).
    pub language: String,
    /// Where customers can ask questions.
    pub support_address: EmailAddress,
    /// Postal address of the sender, which commercial e-mail in the US must contain (16 CFR 316).
    pub postal_address: String,
    /// Domain of the list ids, one for each category (RFC 2919).
    pub list_domain: DomainName,
    /// Links lead to paths below this URL.
    pub action_base_url: HttpsUrl,
    /// `utm_source` of all links.
    pub utm_source: String,
    /// Shown at the top of e-mails instead of the partner's name.
    pub logo: Option<Logo>,
    /// The colours of e-mails and pages.
    pub colours: Colours,
}

/// The partner's logo. Its alternative text is the partner's name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logo {
    /// Where e-mail clients load the image from.
    pub url: HttpsUrl,
    /// Width in pixels.
    pub width: u16,
}

impl Brand {
    pub(crate) fn from_files(files: &ContentFiles) -> Result<Self, ContentError> {
        let brand: Self = files.parse_toml(ContentFiles::BRAND)?;
        brand.colours.validate_contrast()?;
        Ok(brand)
    }

    /// The value of the `From` header, such as `"Northlight Ledger" <engage@example.com>`.
    /// Printable ASCII if the address is.
    pub fn sender(&self, address: &EmailAddress) -> String {
        format!("{} <{}>", encode_phrase(&self.partner), address.expose())
    }

    /// The URL of a path of the partner's product, such as `/bills/new`, with `utm_source` and
    /// these tags for web analytics.
    pub(crate) fn tagged_url(
        &self,
        path: &str,
        tags: &[(&str, &str)],
    ) -> Result<Url, ActionPathError> {
        let mut url = self
            .action_base_url
            .join_segments(action_path::segments(path)?);
        url.query_pairs_mut()
            .append_pair("utm_source", &self.utm_source)
            .extend_pairs(tags);
        Ok(url)
    }
}
