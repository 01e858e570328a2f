//! E-mails that cannot be rendered. The error names the step and does not quote the recipient.

use content::{Content, ContentFiles, EmailPart, RenderError};
use engagement::{CampaignId, StepId};
use rstest::rstest;

use crate::support::{content, sample_notice, unsubscribe_url};

const TEXT: &str = "campaigns/no_bank_account/connect-bank-1.txt.jinja";
const MJML: &str = "campaigns/no_bank_account/connect-bank-1.mjml.jinja";

#[rstest]
#[case(TEXT, "{{ brand.prodct }}", EmailPart::Text)]
#[case(TEXT, "{{ link(\"bills\") }}", EmailPart::Text)]
#[case(
    "campaigns/no_bank_account/connect-bank-1.subject.jinja",
    "{{ brand.logo.url }}",
    EmailPart::Subject
)]
#[case(MJML, "{{ organization.name }}", EmailPart::Mjml)]
fn undefined_template_value_is_a_render_error_without_personal_data(
    #[case] path: &str,
    #[case] text: &str,
    #[case] expected: EmailPart,
) {
    let content = Content::from_files(&ContentFiles::embedded().with_file(path, text)).unwrap();
    let error = content
        .render(
            &sample_notice(&content, Some("Kestrel"), Some("Marisol")),
            unsubscribe_url(),
        )
        .unwrap_err();
    let shown = format!("{error} {error:?}");

    assert!(
        matches!(error, RenderError::Template { part, .. } if part == expected),
        "{shown}"
    );
    assert!(
        shown.contains("campaign no_bank_account, step connect-bank-1") && shown.contains(path),
        "{shown}"
    );
    assert!(
        !shown.contains("Kestrel") && !shown.contains("Marisol"),
        "{shown}"
    );
}

#[rstest]
#[case("<mjml><mj-body><mj-text>{{ organization }}</mj-body></mjml>")]
#[case("<mjml><mj-body><mj-text>{{ organization }}")]
#[case("<mjml><{{ organization }}></mjml>")]
#[case("{{ organization }}")]
fn invalid_mjml_error_does_not_quote_the_markup(#[case] text: &str) {
    let content = Content::from_files(&ContentFiles::embedded().with_file(MJML, text)).unwrap();
    let error = content
        .render(
            &sample_notice(&content, Some("Kestrel"), None),
            unsubscribe_url(),
        )
        .unwrap_err();

    assert!(matches!(error, RenderError::Markup { .. }), "{error}");
    assert!(
        !format!("{error} {error:?}").contains("Kestrel"),
        "{error:?}"
    );
}

#[test]
fn notice_of_a_removed_step_is_a_render_error() {
    let content = content();
    let mut notice = sample_notice(content, Some("Kestrel"), None);
    notice.step = StepId::new("connect-bank-9");
    let expected = RenderError::UnknownStep {
        campaign: CampaignId::new("no_bank_account"),
        step: StepId::new("connect-bank-9"),
    };

    assert_eq!(content.render(&notice, unsubscribe_url()), Err(expected));
}

#[rstest]
#[case("http://api.northlight-ledger.example/unsubscribe/secret-token")]
#[case(&format!(
    "https://api.northlight-ledger.example/unsubscribe/secret-token{}",
    "x".repeat(810)
))]
#[case("https://someone@api.northlight-ledger.example/unsubscribe/secret-token")]
#[case("mailto:secret-token@northlight-ledger.example")]
fn insecure_unsubscribe_url_is_rejected_without_quoting_it(#[case] address: &str) {
    let content = content();
    let error = content
        .render(
            &sample_notice(content, Some("Kestrel"), None),
            &address.parse().unwrap(),
        )
        .unwrap_err();
    let shown = format!("{error} {error:?}");

    assert!(matches!(error, RenderError::Unsubscribe { .. }), "{shown}");
    assert!(
        !shown.contains("secret-token") && !shown.contains("Kestrel"),
        "{shown}"
    );
}
