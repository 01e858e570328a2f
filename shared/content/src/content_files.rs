//! The content files by path, embedded in the binary.

use std::{borrow::Cow, collections::BTreeMap};

use include_dir::{Dir, include_dir};

use crate::error::{ContentError, ContentErrorKind};

static CAMPAIGNS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/campaigns");

const EMBEDDED_FILES: [(&str, &str); 8] = [
    (ContentFiles::BRAND, include_str!("../brand.toml")),
    (ContentFiles::CATEGORIES, include_str!("../categories.toml")),
    (
        ContentFiles::LAYOUTS[0],
        include_str!("../layout.mjml.jinja"),
    ),
    (
        ContentFiles::LAYOUTS[1],
        include_str!("../layout.txt.jinja"),
    ),
    (
        "pages/layout.html.jinja",
        include_str!("../pages/layout.html.jinja"),
    ),
    (
        "pages/not-found.html.jinja",
        include_str!("../pages/not-found.html.jinja"),
    ),
    (
        "pages/preferences.html.jinja",
        include_str!("../pages/preferences.html.jinja"),
    ),
    (
        "pages/style.css.jinja",
        include_str!("../pages/style.css.jinja"),
    ),
];

/// The content files by path, with `/` between folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentFiles(BTreeMap<String, Cow<'static, str>>);

impl ContentFiles {
    pub(crate) const BRAND: &str = "brand.toml";
    pub(crate) const CATEGORIES: &str = "categories.toml";
    pub(crate) const LAYOUTS: [&str; 2] = ["layout.mjml.jinja", "layout.txt.jinja"];

    /// The files that are embedded in the binary.
    pub fn embedded() -> Self {
        let mut files: BTreeMap<_, _> = EMBEDDED_FILES
            .iter()
            .map(|(path, text)| ((*path).to_owned(), Cow::Borrowed(*text)))
            .collect();
        for file in CAMPAIGNS.dirs().flat_map(Dir::files) {
            let names: Vec<_> = file
                .path()
                .iter()
                .map(|name| name.to_string_lossy())
                .collect();
            files.insert(
                format!("campaigns/{}", names.join("/")),
                String::from_utf8_lossy(file.contents()),
            );
        }
        Self(files)
    }

    /// Adds or replaces a file. Public for tests.
    #[must_use]
    pub fn with_file(mut self, path: &str, text: impl Into<String>) -> Self {
        self.0.insert(path.to_owned(), Cow::Owned(text.into()));
        self
    }

    /// Removes a file. Public for tests.
    #[must_use]
    pub fn without_file(mut self, path: &str) -> Self {
        self.0.remove(path);
        self
    }

    /// The text of a file.
    pub(crate) fn text(&self, path: &str) -> Result<&str, ContentError> {
        self.0
            .get(path)
            .map(AsRef::as_ref)
            .ok_or_else(|| ContentError::new(path, ContentErrorKind::Missing))
    }

    /// Parses a TOML file.
    pub(crate) fn parse_toml<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<T, ContentError> {
        toml::from_str(self.text(path)?).map_err(|error| {
            let reason = error.to_string().trim_end().to_owned();
            ContentError::new(path, ContentErrorKind::Settings(reason))
        })
    }

    /// The paths of the files in each folder of `campaigns`, by the name of the folder.
    pub(crate) fn campaign_folders(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut folders = BTreeMap::<&str, Vec<&str>>::new();
        for path in self.0.keys() {
            if let Some((folder, _)) = path
                .strip_prefix("campaigns/")
                .and_then(|rest| rest.split_once('/'))
            {
                folders.entry(folder).or_default().push(path);
            }
        }
        folders
    }
}
