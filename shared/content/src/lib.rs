//! Campaign files, the partner's brand, and their rendering to e-mails, pages and in-product
//! messages.
//!
//! Everything that a customer reads lives in files beside this crate's sources and is embedded in
//! the binary:
//!
//! ```text
//! brand.toml                       who writes: names, colours, addresses, where links lead
//! categories.toml                  what the kinds of mails are called
//! layout.mjml.jinja                what all mails have in common, as MJML (HTML part)
//! layout.txt.jinja                 and as text
//! pages/*.jinja                    where people say which mails they want
//! campaigns/STAGE/campaign.toml    the steps: when, to whom, how important
//! campaigns/STAGE/in-product.toml  what the partner's own product shows
//! campaigns/STAGE/STEP.*.jinja     subject, text and MJML of one mail
//! ```
//!
//! Start reading at [`Content`], or at [`Pages`] for what is shown in a browser.

mod brand;
mod campaign_file;
mod categories;
mod content;
mod domain;
mod environment;
mod error;
mod header;
mod in_product;
mod line;
mod mail;
mod pages;
mod presentable;
mod sources;
mod templates;
mod unsubscribe;

pub use brand::{ActionPathError, Brand, Colour, HttpsUrl, Logo, Palette};
pub use content::Content;
pub use domain::DomainName;
pub use error::{ContentError, EmailPart, RenderError, UnsubscribeError};
pub use header::{Header, HeaderError};
pub use in_product::{CallToAction, InProductMessage, Severity};
pub use mail::Mail;
pub use pages::{Pages, PreferencesPage, PreferencesState};
pub use sources::ContentFiles;
