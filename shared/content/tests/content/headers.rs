//! What mail clients read: the sender, the list and the way out (RFC 5322, RFC 2919, RFC 8058).

use content::{Brand, Content, ContentError, ContentFiles, Header, HeaderError, Mail};
use engagement::Category;
use rstest::rstest;
use strum::IntoEnumIterator;

use crate::notices::{all, any, content, notice, unsubscribe};

#[test]
fn every_mail_can_be_stopped_with_one_click() {
    let content = content();
    for (campaign, step, reason) in all(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe())
            .unwrap();
        assert_eq!(
            values(&mail, "List-Unsubscribe"),
            [format!("<{}>", unsubscribe())]
        );
        assert_eq!(
            values(&mail, "List-Unsubscribe-Post"),
            ["List-Unsubscribe=One-Click"]
        );
        assert_eq!(
            values(&mail, "List-ID"),
            [content.list_id(campaign.category)]
        );
    }
}

#[rstest]
#[case(
    Category::Onboarding,
    "\"Northlight Bill Pay: getting-started e-mails\" <onboarding.bill-pay.northlight-ledger.example>"
)]
#[case(
    Category::Reengagement,
    "\"Northlight Bill Pay: reminders\" <reengagement.bill-pay.northlight-ledger.example>"
)]
#[case(
    Category::Product,
    "\"Northlight Bill Pay: tips\" <product.bill-pay.northlight-ledger.example>"
)]
fn each_kind_of_mail_is_a_list_of_its_own(#[case] category: Category, #[case] expected: &str) {
    assert_eq!(content().list_id(category), expected);
}

#[test]
fn the_sender_is_the_partner() {
    let sender = content()
        .brand()
        .sender(&"engage@example.com".parse().unwrap());
    assert_eq!(sender, "\"Northlight Ledger\" <engage@example.com>");
}

#[test]
fn a_brand_in_another_script_is_encoded() {
    let content = renamed("Ledger", "Bücher & \\\"Söhne\\\"").unwrap();
    let sender = sender(content.brand());
    assert!(
        sender.starts_with("=?utf-8?b?") && sender.ends_with("?= <engage@example.com>"),
        "{sender}"
    );
    let content = renamed("Northlight Bill Pay", "北極光").unwrap();
    let list_id = content.list_id(Category::Product);
    assert_eq!(
        list_id,
        "=?utf-8?b?5YyX5qW15YWJOiB0aXBz?= <product.bill-pay.northlight-ledger.example>"
    );
}

#[rstest]
#[case("Northlight Bill Pay", "\u{1f9fe}".repeat(60))]
#[case("Northlight Bill Pay", "\u{e4}".repeat(80))]
#[case("Northlight Bill Pay", "a".repeat(80))]
#[case("bill-pay.northlight-ledger.example", format!("{}example", "long-label.".repeat(17)))]
fn headers_of_any_brand_are_short_printable_ascii_on_one_line(
    #[case] from: &str,
    #[case] to: String,
) {
    let content = renamed(from, &to).unwrap();
    let mail = content
        .render(
            &any(&content, Some("Bäcker\r\nBcc: x"), Some("Zoë")),
            unsubscribe(),
        )
        .unwrap();
    assert_eq!(mail.headers.len(), 3);
    let mut values: Vec<_> = mail
        .headers
        .iter()
        .map(|header| header.value().to_owned())
        .collect();
    values.extend(Category::iter().map(|category| content.list_id(category).to_owned()));
    values.push(sender(content.brand()));
    for value in values {
        assert!(
            value.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{value}"
        );
        assert!(value.len() <= Header::MAX_VALUE_LENGTH, "{value}");
    }
}

#[test]
fn names_that_fill_a_header_are_refused_at_the_start() {
    let categories = include_str!("../../categories.toml")
        .replace("\"tips\"", &format!("{:?}", "\u{1f9fe}".repeat(80)));
    let brand =
        include_str!("../../brand.toml").replace("Northlight Bill Pay", &"\u{1f9fe}".repeat(80));
    let sources = ContentFiles::embedded()
        .with("brand.toml", brand)
        .with("categories.toml", categories);
    let error = Content::from_files(&sources).unwrap_err();
    assert!(
        matches!(
            error,
            ContentError::Header(HeaderError::TooLong {
                name: "List-ID",
                ..
            })
        ),
        "{error}"
    );
}

#[test]
fn debug_does_not_show_the_token() {
    let content = content();
    let mail = content
        .render(&any(content, None, None), unsubscribe())
        .unwrap();
    let shown = format!("{mail:?}");
    assert!(
        shown.contains("List-Unsubscribe") && !shown.contains("bWFyaXNvbA"),
        "{shown}"
    );
}

fn values<'a>(mail: &'a Mail, name: &str) -> Vec<&'a str> {
    mail.headers
        .iter()
        .filter(|header| header.name() == name)
        .map(Header::value)
        .collect()
}

fn sender(brand: &Brand) -> String {
    brand.sender(&"engage@example.com".parse().unwrap())
}

/// The shipped content with something else in its brand.
fn renamed(from: &str, to: &str) -> Result<Content, ContentError> {
    Content::from_files(&ContentFiles::embedded().with(
        "brand.toml",
        include_str!("../../brand.toml").replace(from, to),
    ))
}
