//! The response of BILL before a risk verification starts.

use bill::ErrorKind;
use errors::ClassifiedError;
use sandbox::{FaultKind, Organization, Switches, UnstartedVerification};

use crate::{
    scripted_server::{ScriptedServer, reply},
    support::{any_organization, client, inject_fault, sandbox, status_fault, test_deadline},
};

#[tokio::test]
async fn unstarted_risk_verification_is_none() {
    for unstarted_verification in [
        UnstartedVerification::Empty,
        UnstartedVerification::NotFound,
    ] {
        let sandbox = sandbox(Switches {
            unstarted_verification,
            ..Switches::default()
        })
        .await;
        let (organization_id, user_id) = any_organization(&sandbox);
        let organization = sandbox.organization(&organization_id).unwrap();
        sandbox.put_organization(Organization {
            verification: None,
            ..organization
        });
        let organization_client = client(&sandbox).organization(&organization_id, test_deadline());
        organization_client.sign_in(&user_id).await.unwrap();
        assert_eq!(organization_client.risk_verification().await.unwrap(), None);
    }

    let server =
        ScriptedServer::start([reply(204, ""), reply(200, r#"{"referenceId":"r"}"#)]).await;
    let organization_client = server.client().organization("008ORG", test_deadline());
    organization_client.sign_in("006USER").await.unwrap();

    assert_eq!(organization_client.risk_verification().await.unwrap(), None);
    assert_eq!(organization_client.risk_verification().await.unwrap(), None);
}

#[tokio::test]
async fn gateway_404_for_risk_verification_is_an_error() {
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, user_id) = any_organization(&sandbox);
    let organization_client = client(&sandbox).organization(&organization_id, test_deadline());
    organization_client.sign_in(&user_id).await.unwrap();
    inject_fault(
        &sandbox,
        "getRiskVerifications",
        FaultKind::Html { status: 404 },
        1,
    );

    assert_eq!(
        organization_client
            .risk_verification()
            .await
            .unwrap_err()
            .error_type()
            .name(),
        "bill_bad_answer"
    );

    // BILL's own 404 means "not started" only if it says nothing else.
    inject_fault(
        &sandbox,
        "getRiskVerifications",
        status_fault(404, "BDC_1144"),
        1,
    );
    let error = organization_client.risk_verification().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HourExhausted);

    inject_fault(
        &sandbox,
        "getRiskVerifications",
        status_fault(403, "BDC_1361"),
        1,
    );
    assert_eq!(
        organization_client
            .risk_verification()
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::UntrustedSession
    );
}
