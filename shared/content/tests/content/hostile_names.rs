//! Names are whatever somebody typed. They must stay names.

use proptest::prelude::*;
use rstest::rstest;
use scraper::{Html, Selector};

use crate::{
    notices::{all, any, content, named, unsubscribe},
    shipped::visible_text,
};

#[rstest]
#[case::markup("<script>alert(1)</script>")]
#[case::leaves_the_mjml("</mj-text><mj-raw><b>x</b></mj-raw>")]
#[case::leaves_the_preview("</mj-preview><mj-style>p{}</mj-style>")]
#[case::cdata("<![CDATA[x]]> <!-- y -->")]
#[case::quotes(r#"O'Hara & "Sons" <3"#)]
#[case::entities("&lt;b&gt; &amp;amp; &#x41;")]
#[case::template_syntax("{{ 7*7 }} {% raw %} {# x #}")]
#[case::emoji("Bäckerei 👩‍🍳 Über")]
#[case::right_to_left("مخبز العاسوق")]
fn a_name_is_shown_as_it_was_typed(#[case] name: &str) {
    let content = content();
    let mail = content
        .render(&any(content, Some(name), Some(name)), unsubscribe())
        .unwrap();
    let visible = visible_text(&mail.html);
    assert!(visible.contains(&format!("Hello {name},")), "{visible}");
    assert!(
        visible.contains(&format!("the main contact of {name} at")),
        "{visible}"
    );
    assert!(
        mail.text.starts_with(&format!("Hello {name},\n")),
        "{}",
        mail.text
    );
    assert!(
        mail.subject.starts_with("Connect a bank account for "),
        "{}",
        mail.subject
    );
    assert_eq!(
        elements(&mail.html),
        elements(
            &content
                .render(
                    &any(content, Some("Kestrel"), Some("Marisol")),
                    unsubscribe()
                )
                .unwrap()
                .html
        )
    );
}

#[test]
fn line_breaks_and_control_characters_in_a_name_add_no_header_and_no_line() {
    let content = content();
    let name = "Kestrel\r\nBcc: victim@elsewhere.example\u{2028}\0\u{1b}[31m";
    let mail = content
        .render(
            &any(content, Some(name), Some("Mari\r\nsol")),
            unsubscribe(),
        )
        .unwrap();
    assert_eq!(
        mail.subject,
        "Connect a bank account for Kestrel Bcc: victim@elsewhe…"
    );
    assert!(
        mail.text.starts_with("Hello Mari sol,\n\n"),
        "{}",
        mail.text
    );
    assert!(!mail.html.contains('\0') && !mail.html.contains('\u{1b}'));
}

#[test]
fn long_names_are_shortened_and_long_first_names_are_left_out() {
    let content = content();
    let mail = content
        .render(
            &any(
                content,
                Some(&"Kestrel ".repeat(63)),
                Some(&"m".repeat(500)),
            ),
            unsubscribe(),
        )
        .unwrap();
    assert_eq!(
        mail.subject,
        "Connect a bank account for Kestrel Kestrel Kestrel Kes…"
    );
    assert!(mail.text.starts_with("Hello,\n"), "{}", mail.text);
    assert!(
        mail.text
            .lines()
            .all(|line| line.chars().count() <= 76 || line.starts_with("https://")),
        "{}",
        mail.text
    );
    assert!(mail.html.len() < 20_000);
}

#[rstest]
#[case(None)]
#[case(Some(""))]
#[case(Some(" \r\n"))]
#[case(Some("Sign in at https://evil.example"))]
fn without_a_usable_name_the_wording_is_neutral(#[case] name: Option<&str>) {
    let content = content();
    for (campaign, step, reason) in all(content) {
        let mail = content
            .render(&named(campaign, step, reason, name, name), unsubscribe())
            .unwrap();
        assert!(mail.text.starts_with("Hello,\n"), "{}", mail.text);
        assert!(mail.text.contains("our company"), "{}", mail.text);
        assert!(
            !mail.text.contains("evil") && !mail.text.contains(". your company"),
            "{}",
            mail.text
        );
        assert!(
            mail.subject.chars().count() < 60 && !mail.subject.starts_with("your"),
            "{}",
            mail.subject
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_name_gives_a_mail_with_the_same_elements(name in "(?s).{0,80}", first_name in "(?s)[<>&\"'{}%#/a-z\\-\\[\\]!]{0,30}") {
        let content = content();
        let plain = elements(&content.render(&any(content, Some("Kestrel"), Some("Marisol")), unsubscribe()).unwrap().html);
        let mail = content.render(&any(content, Some(&name), Some(&first_name)), unsubscribe()).unwrap();
        prop_assert_eq!(elements(&mail.html), plain);
        prop_assert!(!mail.subject.chars().any(char::is_control));
        prop_assert!(mail.subject.chars().count() < 60);
    }
}

/// The names of all elements, in order.
fn elements(html: &str) -> Vec<String> {
    Html::parse_document(html)
        .select(&Selector::parse("*").unwrap())
        .map(|element| element.value().name().to_owned())
        .collect()
}
