//! Paging.

use bill::{Page, Payment, Rows, User};
use sandbox::{Organization, Payments, Sandbox, Switches};

use crate::{
    scripted::{Script, reply},
    support::{calls, client, organization_with, sandbox, sandbox_of, soon},
};

#[tokio::test]
async fn pages_are_followed_over_an_empty_one_to_the_last() {
    for empty_last_page_token in [false, true] {
        let switches = Switches {
            empty_page_every: Some(2),
            empty_last_page_token,
            ..Switches::default()
        };
        let sandbox = sandbox_of(250, switches).await;
        let bill = client(&sandbox);
        let (mut rows, mut pages, mut empty, mut next) = (Vec::new(), 0, 0, None);
        loop {
            let Page {
                rows: more,
                skipped,
                next: following,
            } = bill.organizations(next.as_ref(), soon()).await.unwrap();
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
async fn payments_come_newest_first_a_hundred_a_page() {
    let sandbox = sandbox(Switches::default()).await;
    let (organization_id, user_id) = with_payments(&sandbox, 230);
    let scope = client(&sandbox).organization(&organization_id, soon());
    scope.sign_in(&user_id).await.unwrap();
    let first = scope.payments_page(None).await.unwrap();
    let second = scope.payments_page(first.next.as_ref()).await.unwrap();
    let third = scope.payments_page(second.next.as_ref()).await.unwrap();
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
    let payments = vec![Payments::paid(sandbox.now()).repeated(count, 3_600)];
    sandbox.put_organization(Organization {
        payments,
        ..organization
    });
    (organization_id, user_id)
}

#[tokio::test]
async fn every_page_repeats_max_and_sort_and_encodes_its_token() {
    let odd = r#"a b&max=1#?/+%41=é"🦀"#;
    let script = Script::start([
        reply(
            200,
            serde_json::json!({ "results": [], "nextPage": odd }).to_string(),
        ),
        reply(200, r#"{"results":[{"id":"1"}],"nextPage":"next"}"#),
        reply(200, r#"{"results":[{"id":"2"}]}"#),
    ])
    .await;
    let Rows {
        rows,
        skipped,
        truncated,
        ..
    } = script
        .client()
        .organization("008ORG", soon())
        .users()
        .await
        .unwrap();
    assert_eq!((rows.len(), skipped, truncated), (2, 0, false));
    let seen = script.seen();
    let queries: Vec<Vec<(String, String)>> = seen.iter().map(|seen| query(&seen.target)).collect();
    let both = [
        ("max".to_owned(), "100".to_owned()),
        ("sort".to_owned(), "createdTime:asc".to_owned()),
    ];
    assert_eq!(queries[0], both);
    assert_eq!(
        queries[1],
        [both.to_vec(), vec![("page".to_owned(), odd.to_owned())]].concat()
    );
    assert_eq!(
        queries[2],
        [both.to_vec(), vec![("page".to_owned(), "next".to_owned())]].concat()
    );
    assert!(
        seen[1].target.is_ascii() && seen[1].target.starts_with("/connect/v3/partner/users?"),
        "{}",
        seen[1].target
    );
}

fn query(target: &str) -> Vec<(String, String)> {
    let url: url::Url = format!("http://127.0.0.1{target}").parse().unwrap();
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_list_that_repeats_its_page_is_an_error() {
    let again = || reply(200, r#"{"results":[{"id":"1"}],"nextPage":"again"}"#);
    let script = Script::start([again(), again()]).await;
    let error = script
        .client()
        .organization("008ORG", soon())
        .users()
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "listPartnerUsers: answer is unreadable, list repeats its page"
    );
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_list_without_end_is_cut_after_fifty_pages() {
    let endless = (0..50).map(|page| {
        reply(
            200,
            format!(r#"{{"results":[{{"id":"{page}"}},null],"nextPage":"{page}"}}"#),
        )
    });
    let script = Script::start(endless).await;
    let scope = script.client().organization("008ORG", soon());
    let rows: Rows<User> = scope.users().await.unwrap();
    assert_eq!(
        (rows.rows.len(), rows.skipped, rows.truncated),
        (50, 50, true)
    );
    assert_eq!(scope.requests(), 51);
}

#[tokio::test]
async fn a_long_list_of_organizations_can_be_walked_page_by_page() {
    let sandbox = sandbox_of(
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
            .organizations(next.as_ref(), soon())
            .await
            .unwrap()
            .next;
    }
    assert!(next.is_none());
    assert_eq!(calls(&sandbox, "listPartnerOrganizations"), 60);
}

#[tokio::test]
async fn a_page_of_another_shape_is_not_an_empty_page() {
    for body in [
        r#"{"results":{}}"#,
        r#"{"results":[],"nextPage":{}}"#,
        "[]",
        "\"text\"",
    ] {
        let script = Script::start([reply(200, body)]).await;
        let error = script
            .client()
            .organizations(None, soon())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "listPartnerOrganizations: answer is unreadable, body has another shape",
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_broken_character_costs_nothing_but_itself() {
    let script = Script::start([reply(
        200,
        b"{\"results\":[{\"id\":\"1\",\"name\":\"Caf\xE9\"},{\"id\":\"2\"}]}".as_slice(),
    )])
    .await;
    let page = script.client().organizations(None, soon()).await.unwrap();
    assert_eq!((page.rows.len(), page.skipped), (2, 0));
}
