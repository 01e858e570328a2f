//! Lists and their pages.

use bill::{ListResult, OrganizationOrder, Page, Payment, User};
use sandbox::{Organization, PaymentSeries, Sandbox, Switches};

use crate::{
    scripted_server::{ScriptedServer, reply},
    support::{client, organization_with, request_count, sandbox, sandbox_with, test_deadline},
};

#[tokio::test]
async fn paging_continues_past_empty_pages() {
    for empty_last_page_token in [false, true] {
        let switches = Switches {
            empty_page_every: Some(2),
            empty_last_page_token,
            ..Switches::default()
        };
        let sandbox = sandbox_with(250, switches).await;
        let bill = client(&sandbox);
        let (mut rows, mut pages, mut empty, mut next) = (Vec::new(), 0, 0, None);
        loop {
            let Page {
                rows: more,
                skipped,
                next: following,
            } = bill
                .organizations_page(
                    OrganizationOrder::OldestFirst,
                    next.as_ref(),
                    test_deadline(),
                )
                .await
                .unwrap();
            pages += 1;
            empty += u32::from(more.is_empty());
            assert_eq!(skipped, 0);
            rows.extend(more);
            next = following;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(rows.len(), 250);
        assert!(empty > 0 && pages > 3, "{empty} of {pages} pages are empty");
        let mut ids: Vec<_> = rows.iter().filter_map(|row| row.id.clone()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 250);
        assert!(rows.is_sorted_by_key(|row| row.created_time));
    }
}

#[tokio::test]
async fn payments_are_listed_newest_first_100_per_page() {
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, user_id) = with_payments(&sandbox, 230);
    let organization_client = client(&sandbox).organization(&organization_id, test_deadline());
    organization_client.sign_in(&user_id).await.unwrap();
    let first = organization_client.payments_page(None).await.unwrap();
    let second = organization_client
        .payments_page(first.next.as_ref())
        .await
        .unwrap();
    let third = organization_client
        .payments_page(second.next.as_ref())
        .await
        .unwrap();

    assert_eq!(
        [first.rows.len(), second.rows.len(), third.rows.len()],
        [100, 100, 30]
    );
    assert!(third.next.is_none());

    let times: Vec<_> = [first, second, third]
        .into_iter()
        .flat_map(|page| page.rows)
        .map(|payment: Payment| payment.created_time)
        .collect();
    assert!(times.iter().rev().is_sorted() && times.iter().all(Option::is_some));
}

fn with_payments(sandbox: &Sandbox, count: usize) -> (String, String) {
    let (organization_id, user_id) = organization_with(sandbox, |_| true);
    let organization = sandbox.organization(&organization_id).unwrap();
    let payments = vec![PaymentSeries::paid(sandbox.now()).repeated(count, 3_600)];
    sandbox.put_organization(Organization {
        payments,
        ..organization
    });
    (organization_id, user_id)
}

#[tokio::test]
async fn every_page_request_has_max_sort_and_the_encoded_token() {
    let special_characters = r#"a b&max=1#?/+%41=é"🦀"#;
    let server = ScriptedServer::start([
        reply(
            200,
            serde_json::json!({ "results": [], "nextPage": special_characters }).to_string(),
        ),
        reply(200, r#"{"results":[{"id":"1"}],"nextPage":"next"}"#),
        reply(200, r#"{"results":[{"id":"2"}]}"#),
    ])
    .await;
    let ListResult {
        rows,
        skipped,
        truncated,
        ..
    } = server
        .client()
        .organization("008ORG", test_deadline())
        .users()
        .await
        .unwrap();

    assert_eq!((rows.len(), skipped, truncated), (2, 0, false));

    let requests = server.requests();
    let queries: Vec<Vec<(String, String)>> = requests
        .iter()
        .map(|request| query(&request.target))
        .collect();
    let both = [
        ("max".to_owned(), "100".to_owned()),
        ("sort".to_owned(), "createdTime:asc".to_owned()),
    ];

    assert_eq!(queries[0], both);
    assert_eq!(
        queries[1],
        [
            both.to_vec(),
            vec![("page".to_owned(), special_characters.to_owned())]
        ]
        .concat()
    );
    assert_eq!(
        queries[2],
        [both.to_vec(), vec![("page".to_owned(), "next".to_owned())]].concat()
    );
    assert!(
        requests[1].target.is_ascii()
            && requests[1].target.starts_with("/connect/v3/partner/users?"),
        "{}",
        requests[1].target
    );
}

fn query(target: &str) -> Vec<(String, String)> {
    let url: url::Url = format!("http://127.0.0.1{target}").parse().unwrap();
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn repeated_page_token_is_an_error() {
    let repeated_page = || reply(200, r#"{"results":[{"id":"1"}],"nextPage":"again"}"#);
    let server = ScriptedServer::start([repeated_page(), repeated_page()]).await;
    let error = server
        .client()
        .organization("008ORG", test_deadline())
        .users()
        .await
        .unwrap_err();

    assert_eq!(
        error.to_string(),
        "listPartnerUsers: unexpected response, list repeats its page token"
    );
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn endless_list_is_truncated_after_50_pages() {
    let endless = (0..50).map(|page| {
        reply(
            200,
            format!(r#"{{"results":[{{"id":"{page}"}},null],"nextPage":"{page}"}}"#),
        )
    });
    let server = ScriptedServer::start(endless).await;
    let organization_client = server.client().organization("008ORG", test_deadline());
    let rows: ListResult<User> = organization_client.users().await.unwrap();

    assert_eq!(
        (rows.rows.len(), rows.skipped, rows.truncated),
        (50, 50, true)
    );
    assert_eq!(organization_client.requests(), 51);
}

#[tokio::test]
async fn organizations_can_be_paged_beyond_50_pages() {
    let sandbox = sandbox_with(
        3,
        Switches {
            organization_pages: Some(60),
            ..Switches::default()
        },
    )
    .await;
    let bill = client(&sandbox);
    let mut next = None;

    for _ in 0..60 {
        next = bill
            .organizations_page(
                OrganizationOrder::OldestFirst,
                next.as_ref(),
                test_deadline(),
            )
            .await
            .unwrap()
            .next;
    }

    assert!(next.is_none());
    assert_eq!(request_count(&sandbox, "listPartnerOrganizations"), 60);
}

#[tokio::test]
async fn page_with_unexpected_json_is_an_error() {
    for body in [
        r#"{"results":{}}"#,
        r#"{"results":[],"nextPage":{}}"#,
        "[]",
        "\"text\"",
    ] {
        let server = ScriptedServer::start([reply(200, body)]).await;
        let error = server
            .client()
            .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "listPartnerOrganizations: unexpected response, body has an unexpected structure",
            "{body}"
        );
    }
}

#[tokio::test]
async fn invalid_utf8_is_replaced_and_all_rows_are_parsed() {
    let server = ScriptedServer::start([reply(
        200,
        b"{\"results\":[{\"id\":\"1\",\"name\":\"Caf\xE9\"},{\"id\":\"2\"}]}".as_slice(),
    )])
    .await;
    let page = server
        .client()
        .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();

    assert_eq!((page.rows.len(), page.skipped), (2, 0));
}
