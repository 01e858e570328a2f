//! Redirects and connections.

use bill::{ErrorKind, OrganizationOrder};
use sandbox::Switches;

use crate::{
    scripted_server::{ScriptedServer, reply},
    support::{any_organization, client, sandbox, test_deadline},
};

#[tokio::test]
async fn redirects_are_not_followed() {
    let server =
        ScriptedServer::start([reply(302, "").header("location", "http://127.0.0.1:9/elsewhere")])
            .await;
    let error = server
        .client()
        .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap_err();

    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::BadAnswer, Some(302))
    );
}

#[tokio::test]
async fn refused_connection_is_unavailable() {
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, _) = any_organization(&sandbox);
    let bill = client(&sandbox);
    drop(sandbox);
    let error = bill
        .organization(&organization_id, test_deadline())
        .users()
        .await
        .unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Unavailable);

    let text = error.to_string();
    assert!(text.starts_with("partnerLogin: "), "{text}");
    assert!(!text.contains("127.0.0.1"), "{text}");
}
