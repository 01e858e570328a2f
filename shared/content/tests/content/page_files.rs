//! Files of the pages that are missing or have mistakes.

use content::{ContentErrorKind, ContentFiles, Pages};
use rstest::rstest;

#[rstest]
#[case("brand.toml")]
#[case("categories.toml")]
#[case("pages/layout.html.jinja")]
#[case("pages/not-found.html.jinja")]
#[case("pages/preferences.html.jinja")]
#[case("pages/style.css.jinja")]
fn missing_file_is_reported_by_path(#[case] path: &str) {
    let error = Pages::from_files(&ContentFiles::embedded().without_file(path)).unwrap_err();
    assert_eq!(
        (error.path(), error.kind()),
        (path, &ContentErrorKind::Missing)
    );
}

#[rstest]
#[case(
    "pages/preferences.html.jinja",
    "{{ organization }}",
    "unknown variable organization"
)]
#[case(
    "pages/not-found.html.jinja",
    "{{ category.name }}",
    "unknown variable category"
)]
#[case("pages/style.css.jinja", "{{ light.glow }}", "undefined value")]
#[case("pages/layout.html.jinja", "{% block %}", "syntax error")]
#[case("brand.toml", "partner = ", "line 1")]
#[case("categories.toml", "[news]", "unknown field `news`")]
fn error_names_the_file_and_the_mistake(
    #[case] path: &str,
    #[case] text: &str,
    #[case] mistake: &str,
) {
    let error = Pages::from_files(&ContentFiles::embedded().with_file(path, text))
        .unwrap_err()
        .to_string();
    assert!(error.contains(path) && error.contains(mistake), "{error}");
}

#[test]
fn page_render_error_names_template_and_line() {
    let pages = Pages::from_files(
        &ContentFiles::embedded().with_file("pages/not-found.html.jinja", "\n{{ brand.nickname }}"),
    )
    .unwrap();
    let error = pages.not_found().unwrap_err().to_string();

    assert_eq!(
        error,
        "a page does not render: undefined value at pages/not-found.html.jinja:2"
    );
}

#[test]
fn pages_load_without_campaign_files() {
    let files = ContentFiles::embedded()
        .with_file("campaigns/active/campaign.toml", "not TOML")
        .without_file("layout.mjml.jinja");
    assert!(Pages::from_files(&files).is_ok());
}
