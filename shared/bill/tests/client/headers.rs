//! The headers and sign-in bodies that the client sends.

use bill::OrganizationOrder;
use sandbox::Switches;

use crate::{
    scripted_server::{ScriptedServer, reply},
    support::{client, sandbox, test_deadline},
};

#[tokio::test]
async fn each_call_sends_the_documented_headers() {
    let server =
        ScriptedServer::start([reply(200, "{}"), reply(200, "{}"), reply(200, "{}")]).await;
    let bill = server.client();
    bill.organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();
    let organization_client = bill.organization("008ORG", test_deadline());
    organization_client.users().await.unwrap();
    organization_client.sign_in("006USER").await.unwrap();
    organization_client.payments_page(None).await.unwrap();

    let names = [
        "sessionid",
        "appkey",
        "devkey",
        "organizationid",
        "authorization",
    ];
    let sent: Vec<Vec<&str>> = server
        .requests()
        .iter()
        .map(|request| {
            names
                .into_iter()
                .filter(|name| request.headers.contains_key(*name))
                .collect()
        })
        .collect();

    assert_eq!(
        sent,
        [
            vec!["sessionid", "appkey"],
            vec!["sessionid", "appkey", "organizationid"],
            vec!["sessionid", "devkey"],
        ]
    );

    let sign_ins = server.sign_in_requests();
    let body = |index: usize| -> serde_json::Value {
        serde_json::from_str(&sign_ins[index].body).unwrap()
    };

    assert_eq!(
        body(0),
        serde_json::json!({
            "username": "ann@partner.example",
            "password": "p-secret",
            "appKey": "a-secret",
        })
    );
    assert_eq!(
        body(1),
        serde_json::json!({ "userId": "006USER", "organizationId": "008ORG" })
    );
    assert!(
        !sign_ins[0].headers.contains_key("sessionid")
            && sign_ins[1].headers.contains_key("appkey")
    );
    assert_eq!(sign_ins[0].headers["content-type"], "application/json");
}

#[tokio::test]
async fn organization_id_invalid_as_header_fails_without_a_request() {
    let sandbox = sandbox(Switches::default()).await;
    let error = client(&sandbox)
        .organization("008\r\nx: y", test_deadline())
        .users()
        .await
        .unwrap_err();

    assert_eq!(
        error.to_string(),
        "listPartnerUsers: request is refused, a header value is invalid"
    );
    assert_eq!(sandbox.statistics().requests, 0);
}
