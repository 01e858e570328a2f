//! The HTML part of e-mails.

use content::{Content, ContentFiles};
use engagement::Notice;

use crate::support::{
    content, every_email,
    html::{attributes, split_email},
    notice, sample_notice, unsubscribe_url,
};

/// The layout of an e-mail differs from that of other e-mails only in the category.
#[test]
fn every_email_has_the_same_layout() {
    let sample = sample_notice(content(), Some("Kestrel Bakehouse"), Some("Marisol"));
    let expected = layout_without_category(&sample);

    assert!(expected.contains("Northlight Ledger") && expected.contains("[card]"));

    for (campaign, step, reason) in every_email(content()) {
        let notice = notice(campaign, step, reason);
        assert_eq!(layout_without_category(&notice), expected, "{}", step.id);
    }
}

#[test]
fn emails_load_no_remote_resources() {
    let content = content();
    for (campaign, step, reason) in every_email(content) {
        let html = content
            .render(&notice(campaign, step, reason), unsubscribe_url())
            .unwrap()
            .html;
        assert!(attributes(&html, "[src]", "src").is_empty(), "{}", step.id);
        assert!(attributes(&html, "link", "href").is_empty(), "{}", step.id);
        assert!(
            !html.contains("url(") && !html.contains("<script"),
            "{}",
            step.id
        );
    }
}

#[test]
fn rendered_html_contains_no_mjml_elements() {
    let content = content();
    for (campaign, step, reason) in every_email(content) {
        let html = content
            .render(&notice(campaign, step, reason), unsubscribe_url())
            .unwrap()
            .html;
        assert!(
            !html.contains("<mj-") && !html.contains("mj-class="),
            "{}",
            step.id
        );
    }
}

#[test]
fn html_states_its_language_and_its_colour_schemes() {
    let content = content();
    let html = content
        .render(&sample_notice(content, None, None), unsubscribe_url())
        .unwrap()
        .html;

    assert_eq!(attributes(&html, "html", "lang"), ["en"]);
    assert_eq!(
        attributes(&html, "meta[name=color-scheme]", "content"),
        ["light dark"]
    );
}

#[test]
fn logo_replaces_the_name_and_has_it_as_alt_text() {
    let brand = include_str!("../../brand.toml");
    let logo = concat!(
        "[logo]\n",
        "url = \"https://static.northlight-ledger.example/logo.png\"\n",
        "width = 160\n\n",
        "[colours.light]"
    );
    let files = ContentFiles::embedded()
        .with_file("brand.toml", brand.replacen("[colours.light]", logo, 1));
    let content = Content::from_files(&files).unwrap();
    let html = content
        .render(&sample_notice(&content, None, None), unsubscribe_url())
        .unwrap()
        .html;

    assert_eq!(
        attributes(&html, "img", "src"),
        ["https://static.northlight-ledger.example/logo.png"]
    );
    assert_eq!(attributes(&html, "img", "alt"), ["Northlight Ledger"]);
    assert_eq!(attributes(&html, "img", "width"), ["160"]);
}

fn layout_without_category(notice: &Notice) -> String {
    let mail = content().render(notice, unsubscribe_url()).unwrap();
    let layout = split_email(&mail.html).layout;
    let (before, rest) = layout.split_once("It is one of our ").unwrap();
    let (_category, after) = rest.split_once("</div>").unwrap();
    format!("{before}It is one of our [category]</div>{after}")
}
