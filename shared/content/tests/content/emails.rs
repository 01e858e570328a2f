//! What all e-mails have in common.

use std::collections::BTreeSet;

use engagement::Stage;
use scraper::Html;
use strum::IntoEnumIterator;

use crate::support::{
    content, every_email,
    html::{attributes, selector, visible_text},
    notice, sample_notice, unsubscribe_url,
};

#[test]
fn every_stage_except_closed_has_a_campaign_with_steps_and_an_in_product_message() {
    let content = content();
    for stage in Stage::iter() {
        let steps = content
            .rules()
            .campaigns
            .for_stage(stage)
            .map_or(0, |campaign| campaign.steps.len());
        assert_eq!(steps > 0, stage != Stage::Closed, "{stage}");
        assert_eq!(
            content.in_product_message(stage).is_some(),
            stage != Stage::Closed,
            "{stage}"
        );
    }
}

#[test]
fn every_link_is_an_https_product_url_with_utm_tags() {
    let content = content();

    for (campaign, step, reason) in every_email(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe_url())
            .unwrap();
        let links = attributes(&mail.html, "a[href]", "href");
        assert_eq!(
            links.len(),
            2,
            "{} has one button and the unsubscribe link",
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
        let Some(message) = content.in_product_message(stage) else {
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
fn both_parts_name_the_category_and_link_to_unsubscribe() {
    let content = content();
    let mut names = BTreeSet::new();

    for (campaign, step, reason) in every_email(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe_url())
            .unwrap();
        let link = Html::parse_document(&mail.html);
        let link = link.select(&selector("a[href]")).next_back().unwrap();
        assert_eq!(
            link.attr("href"),
            Some(unsubscribe_url().as_str()),
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
                unsubscribe_url()
            )),
            "{}",
            mail.text
        );
        let footer = unwrapped(mail.text.split("\n-- \n").last().unwrap());
        let (_, sentence) = footer.split_once("It is one of our ").unwrap();
        let (category_text, _) = sentence.split_once(" Unsubscribe from").unwrap();
        assert!(
            visible_text(&mail.html).contains(&format!("It is one of our {category_text}")),
            "{}",
            step.id
        );
        let (name, _) = category_text.split_once(':').unwrap();
        names.insert((campaign.category, name.to_owned()));
    }

    let names: Vec<_> = names.iter().map(|(_, name)| name.as_str()).collect();

    assert_eq!(names, ["getting-started e-mails", "reminders", "tips"]);
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

    for (campaign, step, reason) in every_email(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe_url())
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
    for (campaign, step, reason) in every_email(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe_url())
            .unwrap();
        let visible = visible_text(&mail.html);
        let text = unwrapped(&mail.text);
        for expected in [
            "Hello Marisol,",
            concat!(
                "You receive this because you are an administrator or the main contact of ",
                "Kestrel Bakehouse at Northlight Ledger."
            ),
            "help@northlight-ledger.example",
            "Portland, ME 04101",
        ] {
            assert!(visible.contains(expected), "{expected}: {visible}");
            assert!(text.contains(expected), "{expected}: {}", mail.text);
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
fn text_and_html_parts_have_the_same_paragraphs() {
    let content = content();
    for (campaign, step, reason) in every_email(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe_url())
            .unwrap();
        let visible = visible_text(&mail.html);
        let body = mail.text.split("\n-- \n").next().unwrap();
        for paragraph in body
            .split("\n\n")
            .filter(|paragraph| !paragraph.contains("https://") && !paragraph.starts_with("1. "))
        {
            let paragraph = unwrapped(paragraph);
            assert!(
                visible.contains(&paragraph),
                "{}: {paragraph}\n{visible}",
                step.id
            );
        }
    }
}

#[test]
fn text_part_lines_are_at_most_76_columns_except_links() {
    let content = content();
    for (campaign, step, reason) in every_email(content) {
        let text = content
            .render(&notice(campaign, step, reason), unsubscribe_url())
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
fn debug_of_an_email_masks_its_content() {
    let content = content();
    let mail = content
        .render(
            &sample_notice(content, Some("Kestrel Bakehouse"), Some("Marisol")),
            unsubscribe_url(),
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

/// The text without line breaks.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
