use secrecy::ExposeSecret;

use super::*;

#[test]
fn documented_rows_deserialize() {
    let user: User = serde_json::from_str(
        r#"{"id":"00602MARISOLQUEBa81c","archived":false,"firstName":"Marisol",
            "lastName":"Quebrada","email":"marisol@kestrelbakehouse.example",
            "role":{"id":"0po02ADMINKESTREb4k1","type":"ADMINISTRATOR"},
            "createdTime":"2026-08-14T17:06:30.000+00:00"}"#,
    )
    .unwrap();
    assert_eq!(user.id.as_deref(), Some("00602MARISOLQUEBa81c"));
    assert_eq!(
        user.email.as_ref().map(ExposeSecret::expose_secret),
        Some("marisol@kestrelbakehouse.example")
    );
    assert_eq!(
        user.role.as_ref().and_then(|role| role.kind.clone()),
        Some(RoleType::Administrator)
    );

    let payment: Payment = serde_json::from_str(
        r#"{"status":"CANCELLED","onlinePayment":true,"amount":"15",
            "fundingAmount":15.25,"vendorName":"Cog"}"#,
    )
    .unwrap();
    assert_eq!(payment.status, Some(PaymentStatus::Cancelled));
    assert_eq!(
        (payment.amount, payment.funding_amount),
        (Some(15.into()), "15.25".parse().ok())
    );
}

#[test]
fn unknown_enum_values_are_kept_as_other() {
    let account: BankAccount = serde_json::from_str(r#"{"status":"FROZEN_BY_MOON"}"#).unwrap();
    assert_eq!(
        account.status,
        Some(BankAccountStatus::Other("FROZEN_BY_MOON".to_owned()))
    );

    let verification: RiskVerification =
        serde_json::from_str(r#"{"decision":"IN_PROGRESS","processingStatus":7}"#).unwrap();
    assert_eq!(
        verification,
        RiskVerification {
            processing_status: None,
            decision: Some(RiskDecision::InProgress)
        }
    );
}

#[test]
fn debug_shows_no_personal_or_company_data() {
    let text = r#"{"id":"00602PRIVATE","name":"Private Ltd","firstName":"Private",
        "lastName":"Private","email":"private@private.example","taxId":"private",
        "role":{"type":"CLERK","description":"private"}}"#;
    let user: User = serde_json::from_str(text).unwrap();
    let shown = format!("{user:?}").to_lowercase();
    assert!(!shown.contains("private"), "{shown}");

    let organization: Organization = serde_json::from_str(text).unwrap();
    assert!(
        !format!("{:?}", organization.name)
            .to_lowercase()
            .contains("private")
    );
}
