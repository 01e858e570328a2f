//! What holds for everything that is shipped.

use std::collections::BTreeSet;

use content::{ContentFiles, Severity};
use engagement::Stage;
use scraper::{Html, Selector};
use strum::IntoEnumIterator;

use crate::notices::{all, any, content, notice, unsubscribe};

#[test]
fn every_stage_but_closed_has_a_campaign_with_steps_and_an_in_product_message() {
    let content = content();
    for stage in Stage::iter() {
        let steps = content
            .rules()
            .campaigns
            .for_stage(stage)
            .map_or(0, |campaign| campaign.steps.len());
        assert_eq!(steps > 0, stage != Stage::Closed, "{stage}");
        assert_eq!(
            content.in_product(stage).is_some(),
            stage != Stage::Closed,
            "{stage}"
        );
    }
}

#[test]
fn every_link_leads_to_the_product_over_https_and_names_its_mail() {
    let content = content();
    for (campaign, step, reason) in all(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe())
            .unwrap();
        let links = attributes(&mail.html, "a[href]", "href");
        assert_eq!(
            links.len(),
            2,
            "one clear action in {}, and the way out",
            step.id
        );
        assert!(
            links[0].starts_with("https://app.northlight-ledger.example/bill-pay/"),
            "{}",
            links[0]
        );
        let tags = format!(
            "utm_source=northlight-bill-pay&utm_medium=email&utm_campaign={}&utm_content={}",
            campaign.id, step.id
        );
        assert!(links[0].ends_with(&tags), "{}", links[0]);
        assert!(
            mail.text.lines().any(|line| line == links[0]),
            "the text part of {} has the same link",
            step.id
        );
        assert!(
            !mail.html.contains("http://")
                || mail.html.matches("http://").count()
                    == mail.html.matches("http://www.w3.org/").count()
        );
    }
    for stage in Stage::iter() {
        let Some(message) = content.in_product(stage) else {
            continue;
        };
        let link = message.call_to_action.url.as_str();
        assert!(
            link.starts_with("https://app.northlight-ledger.example/bill-pay/"),
            "{link}"
        );
        let tags =
            format!("?utm_source=northlight-bill-pay&utm_medium=in-product&utm_campaign={stage}");
        assert!(link.ends_with(&tags), "{link}");
    }
}

#[test]
fn both_parts_say_of_which_kind_they_are_and_how_to_stop_it() {
    let content = content();
    let mut kinds = BTreeSet::new();
    for (campaign, step, reason) in all(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe())
            .unwrap();
        let link = Html::parse_document(&mail.html);
        let link = link.select(&selector("a[href]")).next_back().unwrap();
        assert_eq!(
            link.attr("href"),
            Some(unsubscribe().as_str()),
            "{}",
            step.id
        );
        assert_eq!(
            link.text().collect::<String>(),
            "Unsubscribe from these e-mails"
        );
        assert!(
            link.attr("style")
                .unwrap()
                .contains("text-decoration: underline")
        );
        assert!(
            mail.text.contains(&format!(
                "\nUnsubscribe from these e-mails:\n{}\n",
                unsubscribe()
            )),
            "{}",
            mail.text
        );
        let footer = mail
            .text
            .split("\n-- \n")
            .last()
            .unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let kind = footer
            .split("It is one of our ")
            .last()
            .unwrap()
            .split(':')
            .next()
            .unwrap()
            .to_owned();
        assert!(
            visible_text(&mail.html).contains(&format!("It is one of our {kind}:")),
            "{}",
            step.id
        );
        kinds.insert((campaign.category, kind));
    }
    let names: Vec<_> = kinds.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["getting-started e-mails", "reminders", "tips"]);
}

#[test]
fn mails_load_nothing_from_elsewhere() {
    let content = content();
    for (campaign, step, reason) in all(content) {
        let html = content
            .render(&notice(campaign, step, reason), unsubscribe())
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
fn subjects_are_short_and_unlike_spam() {
    const SPAM: [&str; 11] = [
        "free",
        "!",
        "urgent",
        "act now",
        "last chance",
        "$",
        "%",
        "winner",
        "guarantee",
        "offer",
        "re:",
    ];
    let content = content();
    let mut seen = BTreeSet::new();
    for (campaign, step, reason) in all(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe())
            .unwrap();
        let subject = mail.subject.to_lowercase();
        assert!((8..60).contains(&subject.chars().count()), "{subject}");
        assert!(SPAM.iter().all(|word| !subject.contains(word)), "{subject}");
        assert!(!mail.text.contains('!'), "{}", step.id);
        seen.insert((mail.subject, step.id.clone()));
    }
    let subjects: BTreeSet<_> = seen.iter().map(|(subject, _)| subject).collect();
    assert_eq!(
        subjects.len(),
        seen.len(),
        "each step has a subject of its own"
    );
}

#[test]
fn both_parts_greet_say_why_and_name_the_sender() {
    let content = content();
    for (campaign, step, reason) in all(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe())
            .unwrap();
        let visible = visible_text(&mail.html);
        let unwrapped = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
        for expected in [
            "Hello Marisol,",
            "You receive this because you are an administrator or the main contact of Kestrel Bakehouse at Northlight Ledger.",
            "help@northlight-ledger.example",
            "Portland, ME 04101",
        ] {
            assert!(visible.contains(expected), "{expected}: {visible}");
            assert!(unwrapped.contains(expected), "{expected}: {}", mail.text);
        }
        let preheader = Html::parse_document(&mail.html);
        let preheader = preheader
            .select(&selector("body > div"))
            .next()
            .unwrap()
            .text()
            .collect::<String>();
        assert!(
            (20..110).contains(&preheader.trim().chars().count()),
            "{}: {preheader}",
            step.id
        );
    }
}

#[test]
fn text_and_html_say_the_same() {
    let content = content();
    for (campaign, step, reason) in all(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe())
            .unwrap();
        let visible = visible_text(&mail.html);
        let body = mail.text.split("\n-- \n").next().unwrap();
        for paragraph in body
            .split("\n\n")
            .filter(|paragraph| !paragraph.contains("https://") && !paragraph.starts_with("1. "))
        {
            let paragraph = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                visible.contains(&paragraph),
                "{}: {paragraph}\n{visible}",
                step.id
            );
        }
    }
}

#[test]
fn no_element_is_left_that_only_mjml_knows() {
    let content = content();
    for (campaign, step, reason) in all(content) {
        let html = content
            .render(&notice(campaign, step, reason), unsubscribe())
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
fn lines_of_the_text_part_are_no_longer_than_76_columns_save_for_links() {
    let content = content();
    for (campaign, step, reason) in all(content) {
        let text = content
            .render(&notice(campaign, step, reason), unsubscribe())
            .unwrap()
            .text;
        assert!(
            text.lines()
                .all(|line| line.chars().count() <= 76 || line.starts_with("https://")),
            "{text}"
        );
        assert!(
            !text.contains("\n\n\n")
                && !text.contains('\t')
                && !text.contains("{{")
                && text.ends_with('\n'),
            "{text}"
        );
    }
}

#[test]
fn html_states_its_language_and_its_colour_schemes() {
    let content = content();
    let html = content
        .render(&any(content, None, None), unsubscribe())
        .unwrap()
        .html;
    assert_eq!(attributes(&html, "html", "lang"), ["en"]);
    assert_eq!(
        attributes(&html, "meta[name=color-scheme]", "content"),
        ["light dark"]
    );
}

#[test]
fn a_logo_takes_the_place_of_the_name_and_has_it_as_its_text() {
    let brand = include_str!("../../brand.toml");
    let logo = "[logo]\nurl = \"https://static.northlight-ledger.example/logo.png\"\nwidth = 160\n\n[colours.light]";
    let sources =
        ContentFiles::embedded().with("brand.toml", brand.replacen("[colours.light]", logo, 1));
    let content = content::Content::from_files(&sources).unwrap();
    let html = content
        .render(&any(&content, None, None), unsubscribe())
        .unwrap()
        .html;
    assert_eq!(
        attributes(&html, "img", "src"),
        ["https://static.northlight-ledger.example/logo.png"]
    );
    assert_eq!(attributes(&html, "img", "alt"), ["Northlight Ledger"]);
    assert_eq!(attributes(&html, "img", "width"), ["160"]);
}

#[test]
fn in_product_messages_are_short_and_what_can_be_put_off_can_be_closed() {
    let content = content();
    for message in Stage::iter().filter_map(|stage| content.in_product(stage)) {
        assert!(
            (8..50).contains(&message.title.chars().count()),
            "{}",
            message.title
        );
        assert!(
            (30..160).contains(&message.body.chars().count()),
            "{}",
            message.body
        );
        assert!(
            (5..25).contains(&message.call_to_action.label.chars().count()),
            "{}",
            message.call_to_action.label
        );
        assert!(
            !message.body.contains('!') && message.body.ends_with(['.', '?']),
            "{}",
            message.body
        );
        assert!(
            message.dismissible || message.severity != Severity::Info,
            "{}",
            message.title
        );
    }
}

#[test]
fn debug_shows_nothing_of_a_mail() {
    let content = content();
    let mail = content
        .render(
            &any(content, Some("Kestrel Bakehouse"), Some("Marisol")),
            unsubscribe(),
        )
        .unwrap();
    let shown = format!("{mail:?} {content:?} {:?}", content.brand());
    for private in ["Kestrel", "Marisol", "Connect", "help@"] {
        assert!(!shown.contains(private), "{shown}");
    }
    assert!(
        shown.contains(&format!("html_bytes: {}", mail.html.len())),
        "{shown}"
    );
}

pub(crate) fn visible_text(html: &str) -> String {
    let document = Html::parse_document(html);
    let body = document.select(&selector("body")).next().unwrap();
    body.text()
        .collect::<Vec<_>>()
        .join(" ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

pub(crate) fn attributes(html: &str, elements: &str, attribute: &str) -> Vec<String> {
    let document = Html::parse_document(html);
    document
        .select(&selector(elements))
        .filter_map(|element| element.value().attr(attribute))
        .map(ToOwned::to_owned)
        .collect()
}

pub(crate) fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}
