//! Files with mistakes: the error says which file, and what is wrong with it.

use content::{Content, ContentError, ContentFiles, EmailPart, RenderError};
use engagement::{CampaignId, StepId};
use rstest::rstest;

use crate::notices::{any, content, unsubscribe};

const CAMPAIGN: &str = "campaigns/no_bank_account/campaign.toml";
const IN_PRODUCT: &str = "campaigns/no_bank_account/in-product.toml";
const TEXT: &str = "campaigns/no_bank_account/connect-bank-1.txt.jinja";
const MJML: &str = "campaigns/no_bank_account/connect-bank-1.mjml.jinja";

#[rstest]
#[case::unknown_key(
    CAMPAIGN,
    "priorty = 3",
    "campaign.toml: TOML parse error at line 1",
    "unknown field `priorty`"
)]
#[case::absent_key(CAMPAIGN, "priority = 3", "campaign.toml", "missing field `category`")]
#[case::unknown_category(
    CAMPAIGN,
    "category = \"news\"\npriority = 3",
    "line 1",
    "unknown variant `news`"
)]
#[case::unknown_role(
    CAMPAIGN,
    "category = \"product\"\npriority = 3\naudience = [\"BOSS\"]",
    "line 3",
    "\"BOSS\" is no role"
)]
#[case::nobody(
    CAMPAIGN,
    "category = \"product\"\npriority = 3\nmax_recipients = 0",
    "line 3",
    "from 1 to 20"
)]
#[case::unreadable_duration(CAMPAIGN, &steps("a", "soon"), "line 6", "\"soon\" is no length of time such as \"3d\"")]
#[case::months_differ(CAMPAIGN, &steps("a", "1 month"), "line 6", "\"1 month\" is no length of time")]
#[case::negative("campaigns/active/campaign.toml", &steps("tip-approvals", "-1d"), "step tip-approvals", "negative")]
#[case::bad_step_name(CAMPAIGN, &steps("../x", "1d"), "../x", "is missing")]
#[case::category_without_words(
    "categories.toml",
    "[product]\nname = \"a\"\ndescription = \"b\"",
    "categories.toml",
    "missing field `onboarding`"
)]
#[case::category_without_description(
    "categories.toml",
    "[product]\nname = \"a\"",
    "categories.toml",
    "missing field `description`"
)]
#[case::unknown_category_has_words(
    "categories.toml",
    "[news]\nname = \"a\"",
    "categories.toml",
    "unknown field `news`"
)]
#[case::category_without_name(
    "categories.toml",
    "[product]\nname = \" \"",
    "line 2",
    "not a line of 1 to 80 characters"
)]
#[case::category_name_of_two_lines(
    "categories.toml",
    "[product]\nname = \"a\\nb\"",
    "line 2",
    "not a line of 1 to 80 characters"
)]
#[case::not_toml("brand.toml", "partner = ", "brand.toml", "line 1")]
#[case::unknown_severity(
    IN_PRODUCT,
    "title = \"a\"\nbody = \"b\"\nseverity = \"panic\"",
    "line 3",
    "unknown variant `panic`"
)]
#[case::body_of_two_lines(
    IN_PRODUCT,
    "title = \"a\"\nbody = \"b\\nc\"",
    "line 2",
    "not a line of 1 to 240 characters"
)]
#[case::no_title(
    IN_PRODUCT,
    "title = \" \"",
    "line 1",
    "not a line of 1 to 80 characters"
)]
#[case::link_without_slash(IN_PRODUCT, &in_product("bank-accounts"), IN_PRODUCT, "\"bank-accounts\" is no path")]
#[case::link_elsewhere(IN_PRODUCT, &in_product("//evil.example"), IN_PRODUCT, "\"//evil.example\" is no path")]
#[case::link_upwards(IN_PRODUCT, &in_product("/../admin"), IN_PRODUCT, "\"/../admin\" is no path")]
#[case::unknown_variable(TEXT, "{{ organisation }}", TEXT, "unknown variable organisation")]
#[case::broken_template(TEXT, "{% if %}", TEXT, "syntax error")]
#[case::unknown_stage(
    "campaigns/sleeping/campaign.toml",
    "",
    "campaigns/sleeping",
    "named after no stage"
)]
#[case::stray_file(
    "campaigns/active/tip-approval.txt.jinja",
    "",
    "tip-approval.txt.jinja",
    "belongs to no step"
)]
fn a_mistake_in_a_file_is_named(
    #[case] path: &str,
    #[case] text: &str,
    #[case] place: &str,
    #[case] mistake: &str,
) {
    let error = Content::from_files(&ContentFiles::embedded().with(path, text))
        .unwrap_err()
        .to_string();
    assert!(error.contains(place), "{error}");
    assert!(error.contains(mistake), "{error}");
}

#[rstest]
#[case("https://app.", "http://app.", "is not an https address")]
#[case("https://app.", "ftp://app.", "is not an https address")]
#[case("/bill-pay\"", "/bill-pay?x=1\"", "without user, query and fragment")]
#[case("#ffffff", "white", "\"white\" is no colour such as")]
#[case("#ffffff", "#ffff€", "is no colour such as")]
#[case("#ffffff", "#fffff;", "is no colour such as")]
#[case("help@", "help", "not an e-mail address")]
#[case("\"bill-pay.north", "\"Bill-Pay.north", "is no domain such as")]
#[case(
    "bill-pay.northlight-ledger.example",
    "localhost",
    "is no domain such as"
)]
#[case(
    "bill-pay.northlight-ledger.example",
    "10.0.0.1",
    "is no domain such as"
)]
#[case(
    "bill-pay.northlight-ledger.example",
    "bill_pay.example",
    "is no domain such as"
)]
#[case(
    "bill-pay.northlight-ledger.example",
    "bill..example",
    "is no domain such as"
)]
#[case(
    "bill-pay.northlight-ledger.example",
    "-bill.example>",
    "is no domain such as"
)]
#[case("bill-pay.northlight-ledger.example", &"a.".repeat(100), "is no domain such as")]
#[case("list_domain", "lists", "unknown field `lists`")]
#[case(
    "partner = \"Northlight Ledger\"",
    "partner = \"\"",
    "not a line of 1 to 80 characters"
)]
#[case(
    "Northlight Bill Pay",
    "Northlight\\r\\nBcc: x",
    "not a line of 1 to 80 characters"
)]
#[case(
    "#52606d",
    "#c0c8d0",
    "muted on background in the light colours has a contrast of 1.5, less than 4.5"
)]
fn a_brand_must_be_usable(#[case] from: &str, #[case] to: &str, #[case] mistake: &str) {
    let brand = include_str!("../../brand.toml").replacen(from, to, 1);
    let error = Content::from_files(&ContentFiles::embedded().with("brand.toml", brand))
        .unwrap_err()
        .to_string();
    assert!(error.contains("brand.toml"), "{error}");
    assert!(error.contains(mistake), "{error}");
}

#[rstest]
#[case("brand.toml")]
#[case("categories.toml")]
#[case("layout.mjml.jinja")]
#[case("layout.txt.jinja")]
#[case(CAMPAIGN)]
#[case(IN_PRODUCT)]
#[case(TEXT)]
#[case(MJML)]
#[case("campaigns/no_bank_account/connect-bank-3.subject.jinja")]
fn a_file_that_is_gone_is_named(#[case] path: &str) {
    let error = Content::from_files(&ContentFiles::embedded().without(path)).unwrap_err();
    assert_eq!(
        error,
        ContentError::Missing {
            path: path.to_owned()
        }
    );
}

#[test]
fn closed_gets_no_campaign() {
    let sources = ContentFiles::embedded()
        .with(
            "campaigns/closed/campaign.toml",
            "category = \"product\"\npriority = 1",
        )
        .with("campaigns/closed/in-product.toml", in_product("/bills"));
    assert!(matches!(
        Content::from_files(&sources),
        Err(ContentError::Campaigns(_))
    ));
}

#[test]
fn settings_of_a_campaign_reach_the_rules() {
    let text = include_str!("../../campaigns/active/campaign.toml").replace(
        "priority = 10",
        "priority = 11\naudience = [\"PAYER\", \"ACCOUNTANT\"]\nmax_recipients = 5",
    );
    let content =
        Content::from_files(&ContentFiles::embedded().with("campaigns/active/campaign.toml", text))
            .unwrap();
    let campaign = content
        .rules()
        .campaigns
        .for_stage(engagement::Stage::Active)
        .unwrap();
    assert_eq!((campaign.priority, campaign.max_recipients), (11, 5));
    assert_eq!(
        campaign.audience,
        [engagement::Role::Payer, engagement::Role::Accountant]
    );
}

#[rstest]
#[case(TEXT, "{{ brand.prodct }}", EmailPart::Text)]
#[case(TEXT, "{{ link(\"bills\") }}", EmailPart::Text)]
#[case(
    "campaigns/no_bank_account/connect-bank-1.subject.jinja",
    "{{ brand.logo.url }}",
    EmailPart::Subject
)]
#[case(MJML, "{{ organization.name }}", EmailPart::Mjml)]
fn what_a_mail_does_not_have_is_not_rendered(
    #[case] path: &str,
    #[case] text: &str,
    #[case] expected: EmailPart,
) {
    let content = Content::from_files(&ContentFiles::embedded().with(path, text)).unwrap();
    let error = content
        .render(
            &any(&content, Some("Kestrel"), Some("Marisol")),
            unsubscribe(),
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
fn invalid_mjml_is_an_error_that_does_not_repeat_it(#[case] text: &str) {
    let content = Content::from_files(&ContentFiles::embedded().with(MJML, text)).unwrap();
    let error = content
        .render(&any(&content, Some("Kestrel"), None), unsubscribe())
        .unwrap_err();
    assert!(matches!(error, RenderError::Markup { .. }), "{error}");
    assert!(
        !format!("{error} {error:?}").contains("Kestrel"),
        "{error:?}"
    );
}

#[test]
fn a_notice_of_a_step_that_is_gone_is_an_error() {
    let content = content();
    let mut notice = any(content, Some("Kestrel"), None);
    notice.step = StepId::new("connect-bank-9");
    let expected = RenderError::UnknownStep {
        campaign: CampaignId::new("no_bank_account"),
        step: StepId::new("connect-bank-9"),
    };
    assert_eq!(content.render(&notice, unsubscribe()), Err(expected));
}

#[rstest]
#[case("http://api.northlight-ledger.example/unsubscribe/secret-token")]
#[case(&format!("https://api.northlight-ledger.example/unsubscribe/secret-token{}", "x".repeat(810)))]
#[case("https://someone@api.northlight-ledger.example/unsubscribe/secret-token")]
#[case("mailto:secret-token@northlight-ledger.example")]
fn a_mail_leads_nowhere_unsafe_to_unsubscribe(#[case] address: &str) {
    let content = content();
    let error = content
        .render(
            &any(content, Some("Kestrel"), None),
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

fn steps(id: &str, after: &str) -> String {
    format!(
        "category = \"product\"\npriority = 3\n\n[[steps]]\nid = \"{id}\"\nafter = \"{after}\"\n"
    )
}

fn in_product(path: &str) -> String {
    format!(
        "title = \"a\"\nbody = \"b\"\nseverity = \"info\"\ndismissible = true\n\n[call_to_action]\nlabel = \"c\"\npath = \"{path}\"\n"
    )
}
