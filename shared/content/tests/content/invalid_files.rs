//! Content files with mistakes: the error names the file and the mistake.

use content::{Content, ContentErrorKind, ContentFiles};
use engagement::{Role, Stage};
use rstest::rstest;

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
    "\"BOSS\" is not a role"
)]
#[case::nobody(
    CAMPAIGN,
    "category = \"product\"\npriority = 3\nmax_recipients = 0",
    "line 3",
    "from 1 to 20"
)]
#[case::unreadable_duration(
    CAMPAIGN,
    &steps("a", "soon"),
    "line 6",
    "\"soon\" is not a duration such as \"3d\""
)]
#[case::months_differ(CAMPAIGN, &steps("a", "1 month"), "line 6", "\"1 month\" is not a duration")]
#[case::negative(
    "campaigns/active/campaign.toml",
    &steps("tip-approvals", "-1d"),
    "step tip-approvals",
    "negative"
)]
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
#[case::link_without_slash(
    IN_PRODUCT,
    &in_product("bank-accounts"),
    IN_PRODUCT,
    "\"bank-accounts\" is not a path"
)]
#[case::link_elsewhere(
    IN_PRODUCT,
    &in_product("//evil.example"),
    IN_PRODUCT,
    "\"//evil.example\" is not a path"
)]
#[case::link_upwards(
    IN_PRODUCT,
    &in_product("/../admin"),
    IN_PRODUCT,
    "\"/../admin\" is not a path"
)]
#[case::unknown_variable(TEXT, "{{ organisation }}", TEXT, "unknown variable organisation")]
#[case::broken_template(TEXT, "{% if %}", TEXT, "syntax error")]
#[case::unknown_stage(
    "campaigns/sleeping/campaign.toml",
    "",
    "campaigns/sleeping",
    "not named after a stage"
)]
#[case::unexpected_file(
    "campaigns/active/tip-approval.txt.jinja",
    "",
    "tip-approval.txt.jinja",
    "does not belong to a step"
)]
fn error_names_the_file_and_the_mistake(
    #[case] path: &str,
    #[case] text: &str,
    #[case] place: &str,
    #[case] mistake: &str,
) {
    let error = Content::from_files(&ContentFiles::embedded().with_file(path, text))
        .unwrap_err()
        .to_string();

    assert!(error.contains(place), "{error}");
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
fn missing_file_is_reported_by_path(#[case] path: &str) {
    let error = Content::from_files(&ContentFiles::embedded().without_file(path)).unwrap_err();
    assert_eq!(
        (error.path(), error.kind()),
        (path, &ContentErrorKind::Missing)
    );
}

#[test]
fn campaign_folder_for_the_closed_stage_is_rejected() {
    let files = ContentFiles::embedded()
        .with_file(
            "campaigns/closed/campaign.toml",
            "category = \"product\"\npriority = 1",
        )
        .with_file("campaigns/closed/in-product.toml", in_product("/bills"));
    let error = Content::from_files(&files).unwrap_err();
    assert!(
        matches!(error.kind(), ContentErrorKind::Campaigns(_)),
        "{error}"
    );
}

#[test]
fn campaign_settings_are_applied_to_the_rules() {
    let text = include_str!("../../campaigns/active/campaign.toml").replace(
        "priority = 10",
        "priority = 11\naudience = [\"PAYER\", \"ACCOUNTANT\"]\nmax_recipients = 5",
    );
    let content = Content::from_files(
        &ContentFiles::embedded().with_file("campaigns/active/campaign.toml", text),
    )
    .unwrap();
    let campaign = content.rules().campaigns.for_stage(Stage::Active).unwrap();

    assert_eq!((campaign.priority, campaign.max_recipients), (11, 5));
    assert_eq!(campaign.audience, [Role::Payer, Role::Accountant]);
}

fn steps(id: &str, after: &str) -> String {
    format!(
        "category = \"product\"\npriority = 3\n\n[[steps]]\nid = \"{id}\"\nafter = \"{after}\"\n"
    )
}

fn in_product(path: &str) -> String {
    format!(
        "title = \"a\"\nbody = \"b\"\nseverity = \"info\"\ndismissible = true\n\n\
         [call_to_action]\nlabel = \"c\"\npath = \"{path}\"\n"
    )
}
