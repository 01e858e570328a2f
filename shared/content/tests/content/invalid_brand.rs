//! Mistakes in `brand.toml`.

use content::{Content, ContentFiles};
use rstest::rstest;

#[rstest]
#[case("https://app.", "http://app.", "is not an https URL")]
#[case("https://app.", "ftp://app.", "is not an https URL")]
#[case("/bill-pay\"", "/bill-pay?x=1\"", "without user, query and fragment")]
#[case("#ffffff", "white", "\"white\" is not a colour such as")]
#[case("#ffffff", "#ffff€", "is not a colour such as")]
#[case("#ffffff", "#fffff;", "is not a colour such as")]
#[case("help@", "help", "not an e-mail address")]
#[case("\"bill-pay.north", "\"Bill-Pay.north", "is not a domain such as")]
#[case(
    "bill-pay.northlight-ledger.example",
    "localhost",
    "is not a domain such as"
)]
#[case(
    "bill-pay.northlight-ledger.example",
    "10.0.0.1",
    "is not a domain such as"
)]
#[case(
    "bill-pay.northlight-ledger.example",
    "bill_pay.example",
    "is not a domain such as"
)]
#[case(
    "bill-pay.northlight-ledger.example",
    "bill..example",
    "is not a domain such as"
)]
#[case(
    "bill-pay.northlight-ledger.example",
    "-bill.example>",
    "is not a domain such as"
)]
#[case("bill-pay.northlight-ledger.example", &"a.".repeat(100), "is not a domain such as")]
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
fn invalid_brand_settings_are_rejected(
    #[case] from: &str,
    #[case] to: &str,
    #[case] mistake: &str,
) {
    let brand = include_str!("../../brand.toml").replacen(from, to, 1);
    let error = Content::from_files(&ContentFiles::embedded().with_file("brand.toml", brand))
        .unwrap_err()
        .to_string();

    assert!(error.contains("brand.toml"), "{error}");
    assert!(error.contains(mistake), "{error}");
}
