//! The pages of the unsubscribe link, as a browser and a screen reader interpret them.

use base64::{Engine, engine::general_purpose::STANDARD};
use content::{ContentFiles, Pages, PreferencesPage, PreferencesState};
use engagement::Category;
use rstest::rstest;
use scraper::Html;
use sha2::{Digest, Sha256};
use strum::IntoEnumIterator;

use crate::support::html::{attributes, selector, visible_text};

#[rstest]
#[case(PreferencesState::Subscribed, &["leave_category", "leave_all"])]
#[case(PreferencesState::UnsubscribedFromCategory, &["come_back", "leave_all"])]
#[case(PreferencesState::UnsubscribedFromAll, &["come_back"])]
#[case(PreferencesState::Suppressed, &[])]
fn each_state_offers_its_form_actions(#[case] state: PreferencesState, #[case] expected: &[&str]) {
    for category in Category::iter() {
        let html = page(category, state, false);
        assert_eq!(
            attributes(&html, "form > input[type=hidden][name=action]", "value"),
            expected
        );
        assert_eq!(
            attributes(&html, "form", "method"),
            vec!["post"; expected.len()]
        );
        assert!(
            attributes(&html, "form", "action").is_empty(),
            "it posts to its own address"
        );
        let document = Html::parse_document(&html);
        let labels: Vec<String> = document
            .select(&selector("form > button"))
            .map(|button| button.text().collect())
            .collect();
        assert_eq!(labels.len(), expected.len());
        assert!(
            labels
                .iter()
                .all(|label| label.len() > 10 && label.trim() == label),
            "{labels:?}"
        );
    }
}

#[rstest]
#[case(
    Category::Onboarding,
    PreferencesState::Subscribed,
    "You receive our getting-started e-mails: what to do on the way to your first payment."
)]
#[case(
    Category::Reengagement,
    PreferencesState::UnsubscribedFromCategory,
    "You no longer receive our reminders. Other e-mails"
)]
#[case(
    Category::Product,
    PreferencesState::UnsubscribedFromAll,
    "You no longer receive any of our e-mails about Northlight Bill Pay."
)]
#[case(
    Category::Product,
    PreferencesState::Suppressed,
    "We cannot write to this address: "
)]
fn status_sentence_is_announced_after_a_change(
    #[case] category: Category,
    #[case] state: PreferencesState,
    #[case] expected: &str,
) {
    for just_changed in [false, true] {
        let html = page(category, state, just_changed);
        let document = Html::parse_document(&html);
        let sentence: String = document
            .select(&selector("main > h1 + p"))
            .next()
            .unwrap()
            .text()
            .collect();
        let is_done = just_changed && state != PreferencesState::Suppressed;
        assert!(
            sentence
                .strip_prefix("Done. ")
                .unwrap_or(&sentence)
                .starts_with(expected),
            "{sentence}"
        );
        assert_eq!(sentence.starts_with("Done. "), is_done, "{sentence}");
        assert_eq!(
            attributes(&html, "[role=status]", "role").len(),
            usize::from(just_changed)
        );
    }
}

#[test]
fn a_page_has_one_heading_a_language_and_a_title() {
    for html in every_page() {
        let document = Html::parse_document(&html);
        assert!(html.starts_with("<!doctype html>\n"));
        let count = |elements: &str| document.select(&selector(elements)).count();
        assert_eq!(
            (
                count("h1"),
                count("main > h1"),
                count("main"),
                count("footer")
            ),
            (1, 1, 1, 1)
        );
        assert_eq!(attributes(&html, "html", "lang"), ["en"]);
        assert_eq!(
            attributes(&html, "meta[name=viewport]", "content"),
            ["width=device-width, initial-scale=1"]
        );
        assert_eq!(
            attributes(&html, "meta[name=color-scheme]", "content"),
            ["light dark"]
        );
        assert_eq!(
            attributes(&html, "meta[name=robots]", "content"),
            ["noindex"]
        );
        let title: String = document
            .select(&selector("title"))
            .next()
            .unwrap()
            .text()
            .collect();
        assert!(
            title.ends_with(" - Northlight Ledger") && title.len() > 25,
            "{title}"
        );
    }
}

#[test]
fn page_has_no_scripts_remote_resources_or_links_except_support() {
    for html in every_page() {
        let document = Html::parse_document(&html);
        assert_eq!(
            document
                .select(&selector(
                    "script, link, img, iframe, object, [src], [style]"
                ))
                .count(),
            0
        );
        let everything = selector("*");
        let mut attributes_of_all = document
            .select(&everything)
            .flat_map(|element| element.value().attrs());
        assert!(
            attributes_of_all.all(|(name, _)| !name.starts_with("on")),
            "no handlers"
        );
        assert_eq!(
            attributes(&html, "[href]", "href"),
            ["mailto:help@northlight-ledger.example"]
        );
        assert!(!html.contains("url(") && !html.contains("@import") && !html.contains("://"));
    }
}

#[test]
fn a_page_names_the_sender() {
    for html in every_page() {
        let visible = visible_text(&html);
        for expected in [
            "Northlight Ledger",
            "Questions: help@northlight-ledger.example",
            "Portland, ME 04101",
        ] {
            assert!(visible.contains(expected), "{visible}");
        }
    }
}

#[test]
fn style_hash_matches_the_inline_style_of_every_page() {
    let hash = Pages::embedded().unwrap().style_hash();
    for html in every_page() {
        let document = Html::parse_document(&html);
        let styles: Vec<String> = document
            .select(&selector("style"))
            .map(|style| style.text().collect())
            .collect();
        assert_eq!(styles.len(), 1);
        assert_eq!(
            hash,
            format!("sha256-{}", STANDARD.encode(Sha256::digest(&styles[0])))
        );
        assert!(
            styles[0].contains("#17594a") && styles[0].contains("#8fd6c2"),
            "the colours of both schemes"
        );
    }
}

#[test]
fn brand_is_html_escaped() {
    let brand = include_str!("../../brand.toml")
        .replace("Northlight", "<b>'North' & \\\"light\\\"</b>")
        .replace("//app.<b>", "//app.b");
    let pages =
        Pages::from_files(&ContentFiles::embedded().with_file("brand.toml", brand)).unwrap();

    for state in PreferencesState::iter() {
        let html = pages
            .preferences(&PreferencesPage {
                category: Category::Product,
                state,
                just_changed: true,
            })
            .unwrap();
        assert_eq!(
            Html::parse_document(&html).select(&selector("b")).count(),
            0
        );
        assert!(
            visible_text(&html).contains("<b>'North' & \"light\"</b> Ledger"),
            "{html}"
        );
    }
}

fn page(category: Category, state: PreferencesState, just_changed: bool) -> String {
    Pages::embedded()
        .unwrap()
        .preferences(&PreferencesPage {
            category,
            state,
            just_changed,
        })
        .unwrap()
}

fn every_page() -> Vec<String> {
    let preferences = PreferencesState::iter().flat_map(|state| {
        [
            page(Category::Product, state, false),
            page(Category::Product, state, true),
        ]
    });
    preferences
        .chain([Pages::embedded().unwrap().not_found().unwrap()])
        .collect()
}
