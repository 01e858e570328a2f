use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use engagement::Category;
use minijinja::{Environment, Value, context};
use sha2::{Digest, Sha256};

use crate::{
    brand::Brand,
    categories::Categories,
    environment,
    error::{ContentError, RenderError},
    sources::ContentFiles,
};

const STYLE: &str = "pages/style.css.jinja";
const LAYOUT: &str = "pages/layout.html.jinja";
const PREFERENCES: &str = "pages/preferences.html.jinja";
const NOT_FOUND: &str = "pages/not-found.html.jinja";

/// The variables of each file, besides the globals `brand`, `light` and `dark`.
const FILES: [(&str, &[&str]); 4] = [
    (STYLE, &[]),
    (LAYOUT, &["style"]),
    (PREFERENCES, &["style", "category", "state", "just_changed"]),
    (NOT_FOUND, &["style"]),
];

/// The pages on which people say which mails they want: HTML without scripts that loads nothing and
/// names nobody. Reads the brand and no campaigns, so it is cheap to build.
pub struct Pages {
    categories: Categories,
    environment: Environment<'static>,
    style: String,
}

/// What the page for one recipient shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreferencesPage {
    /// The kind of the mail that led here.
    pub category: Category,
    /// What its recipient wants now.
    pub state: PreferencesState,
    /// Whether the recipient said so just now.
    pub just_changed: bool,
}

/// What a recipient wants, or what is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum PreferencesState {
    /// Mails of this kind. The forms offer `leave_category` and `leave_all`.
    Subscribed,
    /// No mails of this kind. The forms offer `come_back` and `leave_all`.
    UnsubscribedFromCategory,
    /// No mails at all. The form offers `come_back`.
    UnsubscribedFromAll,
    /// Whatever they want, nothing can be sent to the address. There is no form.
    Suppressed,
}

impl Pages {
    /// The pages that the binary was built with.
    pub fn embedded() -> Result<Self, ContentError> {
        Self::from_files(&ContentFiles::embedded())
    }

    /// Parses the brand, the categories and the pages. The error names the file.
    pub fn from_files(sources: &ContentFiles) -> Result<Self, ContentError> {
        let brand = Brand::from_files(sources)?;
        let categories = Categories::from_files(sources, &brand)?;
        let mut environment = environment::environment(&brand);
        for (path, variables) in FILES {
            environment::add(&mut environment, path, sources.text(path)?, variables)?;
        }
        let style = environment
            .get_template(STYLE)
            .and_then(|template| template.render(()))
            .map_err(|error| ContentError::Template {
                path: STYLE.to_owned(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            categories,
            environment,
            style,
        })
    }

    /// The page that says what its recipient receives, with a form for each thing that can be
    /// changed. A form posts `action=leave_category`, `leave_all` or `come_back` to the page's own
    /// address (`application/x-www-form-urlencoded`).
    pub fn preferences(&self, page: &PreferencesPage) -> Result<String, RenderError> {
        let kind = self.categories.kind(page.category);
        let category = context! { name => &kind.name, description => &kind.description };
        let state = <&str>::from(page.state);
        self.render(PREFERENCES, context! { style => self.unescaped_style_value(), category, state, just_changed => page.just_changed })
    }

    /// The page for every address that leads to no recipient; it is the same for all of them.
    pub fn not_found(&self) -> Result<String, RenderError> {
        self.render(
            NOT_FOUND,
            context! { style => self.unescaped_style_value() },
        )
    }

    /// The source `sha256-...` that lets a Content-Security-Policy take the pages' style and no
    /// other (CSP 3, section 2.3.1); in the policy it stands between `'`.
    pub fn style_hash(&self) -> String {
        format!("sha256-{}", STANDARD.encode(Sha256::digest(&self.style)))
    }

    /// Made of the files and of colours alone, so it is not escaped.
    fn unescaped_style_value(&self) -> Value {
        Value::from_safe_string(self.style.clone())
    }

    fn render(&self, path: &str, variables: Value) -> Result<String, RenderError> {
        self.environment
            .get_template(path)
            .and_then(|template| template.render(variables))
            .map_err(|error| RenderError::Page {
                reason: error.kind().to_string(),
                location: environment::location(&error, path),
            })
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pages")
            .field("style", &self.style_hash())
            .finish_non_exhaustive()
    }
}
