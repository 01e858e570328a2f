//! Everything that customers read: e-mails, the pages of the unsubscribe link, and the messages
//! that the partner's product shows. Loads the texts from files and renders them.
//!
//! The files are beside the sources of this crate and are embedded in the binary:
//!
//! ```text
//! brand.toml                       the sender: names, colours, addresses, target of links
//! categories.toml                  names and descriptions of the e-mail categories
//! layout.mjml.jinja                layout of the HTML part of e-mails (MJML)
//! layout.txt.jinja                 layout of the text part of e-mails
//! pages/*.jinja                    the pages of the unsubscribe link
//! campaigns/STAGE/campaign.toml    the campaign of a stage: category, audience, steps
//! campaigns/STAGE/in-product.toml  the message that the partner's product shows
//! campaigns/STAGE/STEP.*.jinja     subject, text part and HTML part (MJML) of one e-mail
//! ```
//!
//! [`Content`] loads and validates all of them and renders e-mails. [`Pages`] loads only what the
//! pages need. Start reading at [`Content::from_files`].
//!
//! The crate does not decide when to send an e-mail, and it does not send it.

mod action_path;
mod brand;
mod campaign_file;
mod categories;
mod colour;
mod content;
mod content_files;
mod display_name;
mod domain_name;
mod email_part;
mod error;
mod header;
mod https_url;
mod in_product;
mod mail;
mod pages;
mod render;
mod template_environment;
mod templates;
mod text_setting;
mod unsubscribe;

pub use action_path::ActionPathError;
pub use brand::{Brand, Logo};
pub use colour::{Colour, Colours, Palette};
pub use content::Content;
pub use content_files::ContentFiles;
pub use domain_name::DomainName;
pub use email_part::EmailPart;
pub use error::{ContentError, ContentErrorKind, RenderError, UnsubscribeError};
pub use header::{Header, HeaderError};
pub use https_url::HttpsUrl;
pub use in_product::{CallToAction, InProductMessage, Severity};
pub use mail::Mail;
pub use pages::{Pages, PreferencesPage, PreferencesState};
