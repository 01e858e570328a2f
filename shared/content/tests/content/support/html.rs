//! Queries of rendered HTML.

use scraper::{Html, Selector};

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

/// The HTML part of an e-mail, split at the elements that `layout.mjml.jinja` defines.
pub(crate) struct EmailHtml<'a> {
    /// Everything except the preheader and the body.
    pub layout: String,
    /// The text that e-mail clients show beside the subject.
    pub preheader: &'a str,
    /// The element with the class `card`: greeting, texts and button of the step, signature.
    pub body: &'a str,
}

pub(crate) fn split_email(html: &str) -> EmailHtml<'_> {
    let (head, rest) = html.split_once("<body").unwrap();
    let (body_tag, rest) = rest.split_once("<div").unwrap();
    let (preheader_style, rest) = rest.split_once('>').unwrap();
    let (preheader, rest) = rest.split_once("</div>").unwrap();

    let card = rest.find("<div class=\"card\"").unwrap();
    let footer = rest.find("<div class=\"small\"").unwrap();
    let card_end = rest[..footer].rfind("</div>").unwrap() + "</div>".len();
    EmailHtml {
        layout: [
            head,
            body_tag,
            preheader_style,
            &rest[..card],
            "[card]",
            &rest[card_end..],
        ]
        .concat(),
        preheader,
        body: &rest[card..card_end],
    }
}
