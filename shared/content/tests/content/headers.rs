//! The headers that e-mail clients read: sender, list and one-click unsubscribe (RFC 5322, RFC
//! 2919, RFC 8058).

use content::{
    Brand, Content, ContentError, ContentErrorKind, ContentFiles, Header, HeaderError, Mail,
};
use engagement::Category;
use rstest::rstest;
use strum::IntoEnumIterator;

use crate::support::{
    content, every_email, notice, notice_of_category, sample_notice, unsubscribe_url,
};

#[test]
fn every_email_has_one_click_unsubscribe_headers() {
    let content = content();
    for (campaign, step, reason) in every_email(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe_url())
            .unwrap();
        assert_eq!(
            header_values(&mail, "List-Unsubscribe"),
            [format!("<{}>", unsubscribe_url())]
        );
        assert_eq!(
            header_values(&mail, "List-Unsubscribe-Post"),
            ["List-Unsubscribe=One-Click"]
        );
        assert_eq!(
            header_values(&mail, "List-ID"),
            [expected_list_id(campaign.category)]
        );
    }
}

#[test]
fn each_category_has_its_own_list_id() {
    for category in Category::iter() {
        assert_eq!(list_id(content(), category), expected_list_id(category));
    }
}

#[test]
fn sender_display_name_is_the_partner() {
    let sender = content()
        .brand()
        .sender(&"engage@example.com".parse().unwrap());
    assert_eq!(sender, "\"Northlight Ledger\" <engage@example.com>");
}

#[test]
fn non_ascii_brand_is_rfc_2047_encoded() {
    let content = content_with_brand("Ledger", "Bücher & \\\"Söhne\\\"").unwrap();
    let sender = sender(content.brand());

    assert!(
        sender.starts_with("=?utf-8?b?") && sender.ends_with("?= <engage@example.com>"),
        "{sender}"
    );

    let content = content_with_brand("Northlight Bill Pay", "北極光").unwrap();

    assert_eq!(
        list_id(&content, Category::Product),
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
    let content = content_with_brand(from, &to).unwrap();
    let mail = content
        .render(
            &sample_notice(&content, Some("Bäcker\r\nBcc: x"), Some("Zoë")),
            unsubscribe_url(),
        )
        .unwrap();

    assert_eq!(mail.headers.len(), 3);

    let mut values: Vec<_> = mail
        .headers
        .iter()
        .map(|header| header.value().to_owned())
        .collect();
    values.extend(Category::iter().map(|category| list_id(&content, category)));
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
fn brand_that_makes_a_header_too_long_is_rejected() {
    let categories = include_str!("../../categories.toml")
        .replace("\"tips\"", &format!("{:?}", "\u{1f9fe}".repeat(80)));
    let brand =
        include_str!("../../brand.toml").replace("Northlight Bill Pay", &"\u{1f9fe}".repeat(80));
    let files = ContentFiles::embedded()
        .with_file("brand.toml", brand)
        .with_file("categories.toml", categories);
    let error = Content::from_files(&files).unwrap_err();

    assert!(
        matches!(
            error.kind(),
            ContentErrorKind::Header(HeaderError::TooLong {
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
        .render(&sample_notice(content, None, None), unsubscribe_url())
        .unwrap();
    let shown = format!("{mail:?}");

    assert!(
        shown.contains("List-Unsubscribe") && !shown.contains("bWFyaXNvbA"),
        "{shown}"
    );
}

fn header_values<'a>(mail: &'a Mail, name: &str) -> Vec<&'a str> {
    mail.headers
        .iter()
        .filter(|header| header.name() == name)
        .map(Header::value)
        .collect()
}

fn expected_list_id(category: Category) -> &'static str {
    match category {
        Category::Onboarding => concat!(
            "\"Northlight Bill Pay: getting-started e-mails\" ",
            "<onboarding.bill-pay.northlight-ledger.example>"
        ),
        Category::Reengagement => concat!(
            "\"Northlight Bill Pay: reminders\" ",
            "<reengagement.bill-pay.northlight-ledger.example>"
        ),
        Category::Product => concat!(
            "\"Northlight Bill Pay: tips\" ",
            "<product.bill-pay.northlight-ledger.example>"
        ),
    }
}

/// The `List-ID` header of an e-mail of the category.
fn list_id(content: &Content, category: Category) -> String {
    let mail = content
        .render(&notice_of_category(content, category), unsubscribe_url())
        .unwrap();
    header_values(&mail, "List-ID").concat()
}

fn sender(brand: &Brand) -> String {
    brand.sender(&"engage@example.com".parse().unwrap())
}

/// The embedded content with a text replaced in `brand.toml`.
fn content_with_brand(from: &str, to: &str) -> Result<Content, ContentError> {
    Content::from_files(&ContentFiles::embedded().with_file(
        "brand.toml",
        include_str!("../../brand.toml").replace(from, to),
    ))
}
