//! The pages of the unsubscribe link.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use engagement::Category;
use minijinja::{Environment, Value, context};
use sha2::{Digest, Sha256};

use crate::{
    brand::Brand,
    categories::Categories,
    content_files::ContentFiles,
    error::{ContentError, ContentErrorKind, RenderError},
    template_environment,
};

const STYLE: &str = "pages/style.css.jinja";
const LAYOUT: &str = "pages/layout.html.jinja";
const PREFERENCES: &str = "pages/preferences.html.jinja";
const NOT_FOUND: &str = "pages/not-found.html.jinja";

/// The templates and their variables, in addition to the globals `brand`, `light` and `dark`.
const TEMPLATES: [(&str, &[&str]); 4] = [
    (STYLE, &[]),
    (LAYOUT, &["style"]),
    (PREFERENCES, &["style", "category", "state", "just_changed"]),
    (NOT_FOUND, &["style"]),
];

/// The pages on which recipients unsubscribe and resubscribe. They are HTML without scripts and
/// remote resources, and contain no personal data.
///
/// Loads no campaigns, so it is cheap to build. Build it once per process.
pub struct Pages {
    categories: Categories,
    environment: Environment<'static>,
    style: String,
}

/// What the preferences page of one recipient shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreferencesPage {
    /// The category of the e-mail that contains the link.
    pub category: Category,
    /// The recipient's subscriptions.
    pub state: PreferencesState,
    /// Whether the recipient changed the state with this request.
    pub just_changed: bool,
}

/// The recipient's subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum PreferencesState {
    /// Subscribed to the category. The forms offer `leave_category` and `leave_all`.
    Subscribed,
    /// Unsubscribed from the category. The forms offer `come_back` and `leave_all`.
    UnsubscribedFromCategory,
    /// Unsubscribed from all categories. The form offers `come_back`.
    UnsubscribedFromAll,
    /// The address is suppressed: nothing can be sent to it. There is no form.
    Suppressed,
}

impl Pages {
    /// Loads the files that are embedded in the binary.
    pub fn embedded() -> Result<Self, ContentError> {
        Self::from_files(&ContentFiles::embedded())
    }

    /// Loads the brand, the categories and the pages. The error names the file. Public for tests.
    pub fn from_files(files: &ContentFiles) -> Result<Self, ContentError> {
        let brand = Brand::from_files(files)?;
        let categories = Categories::from_files(files, &brand)?;
        let mut environment = template_environment::build(&brand);
        for (path, variables) in TEMPLATES {
            template_environment::add_template(
                &mut environment,
                path,
                files.text(path)?,
                variables,
            )?;
        }
        let style = environment
            .get_template(STYLE)
            .and_then(|template| template.render(()))
            .map_err(|error| {
                ContentError::new(STYLE, ContentErrorKind::Template(error.to_string()))
            })?;
        Ok(Self {
            categories,
            environment,
            style,
        })
    }

    /// Renders the page that shows the recipient's subscriptions, with a form for each possible
    /// change. A form posts `action=leave_category`, `leave_all` or `come_back` to the URL of the
    /// page (`application/x-www-form-urlencoded`). `Err`: a retry fails in the same way.
    pub fn preferences(&self, page: &PreferencesPage) -> Result<String, RenderError> {
        let category_text = self.categories.get(page.category);
        let category = context! {
            name => &category_text.name,
            description => &category_text.description,
        };
        let variables = context! {
            style => self.unescaped_style_value(),
            category,
            state => <&str>::from(page.state),
            just_changed => page.just_changed,
        };
        self.render(PREFERENCES, variables)
    }

    /// Renders the page for URLs without a valid token. It is the same for all of them. `Err`: a
    /// retry fails in the same way.
    pub fn not_found(&self) -> Result<String, RenderError> {
        self.render(
            NOT_FOUND,
            context! { style => self.unescaped_style_value() },
        )
    }

    /// The source `sha256-...` with which a Content-Security-Policy allows the style of the pages
    /// and no other (CSP 3, section 2.3.1). The policy puts it between single quotes.
    pub fn style_hash(&self) -> String {
        format!("sha256-{}", STANDARD.encode(Sha256::digest(&self.style)))
    }

    /// The style, marked as safe. It contains only the files and colours, so it needs no escaping.
    fn unescaped_style_value(&self) -> Value {
        Value::from_safe_string(self.style.clone())
    }

    fn render(&self, path: &str, variables: Value) -> Result<String, RenderError> {
        self.environment
            .get_template(path)
            .and_then(|template| template.render(variables))
            .map_err(|error| RenderError::Page {
                reason: error.kind().to_string(),
                location: template_environment::error_location(&error, path),
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
