//! Names may contain any text. It must be shown as text.

use content::Mail;
use proptest::prelude::*;
use rstest::rstest;
use scraper::Html;

use crate::support::{
    content, every_email,
    html::{selector, visible_text},
    notice_with_names, sample_notice, unsubscribe_url,
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
fn name_is_escaped_and_shown_verbatim(#[case] name: &str) {
    let mail = render(name, name);
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
        elements(&render("Kestrel", "Marisol").html)
    );
}

#[test]
fn line_breaks_and_control_characters_in_a_name_add_no_header_and_no_line() {
    let name = "Kestrel\r\nBcc: victim@elsewhere.example\u{2028}\0\u{1b}[31m";
    let mail = render(name, "Mari\r\nsol");

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
            &sample_notice(
                content,
                Some(&"Kestrel ".repeat(63)),
                Some(&"m".repeat(500)),
            ),
            unsubscribe_url(),
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
    for (campaign, step, reason) in every_email(content) {
        let mail = content
            .render(
                &notice_with_names(campaign, step, reason, name, name),
                unsubscribe_url(),
            )
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
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_name_renders_the_same_html_elements(
        name in "(?s).{0,80}",
        first_name in "(?s)[<>&\"'{}%#/a-z\\-\\[\\]!]{0,30}",
    ) {
        let plain = render("Kestrel", "Marisol");
        let mail = render(&name, &first_name);

        prop_assert_eq!(elements(&mail.html), elements(&plain.html));
        prop_assert!(!mail.subject.chars().any(char::is_control));
        prop_assert!(mail.subject.chars().count() < 60);
    }
}

fn render(organization_name: &str, first_name: &str) -> Mail {
    let content = content();
    let notice = sample_notice(content, Some(organization_name), Some(first_name));
    content.render(&notice, unsubscribe_url()).unwrap()
}

/// The names of all elements, in document order.
fn elements(html: &str) -> Vec<String> {
    Html::parse_document(html)
        .select(&selector("*"))
        .map(|element| element.value().name().to_owned())
        .collect()
}
