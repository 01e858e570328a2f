//! Logs, errors and `Debug` output contain no personal data, credentials or response bodies.

use std::{
    io::Write,
    sync::{Arc, Mutex, OnceLock},
};

use bill::{OrganizationOrder, PageToken};
use sandbox::{FaultKind, Switches};
use secrecy::ExposeSecret;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    scripted_server::{ScriptedServer, reply},
    support::{any_organization, client, inject_fault, sandbox, status_fault, test_deadline},
};

#[derive(Clone, Default)]
struct CapturedLog(Arc<Mutex<Vec<u8>>>);

impl CapturedLog {
    /// The log of the whole process. A subscriber of one thread misses callsites that another test
    /// registered before.
    fn install() -> Self {
        static LOG: OnceLock<CapturedLog> = OnceLock::new();
        let start = || {
            let log = Self::default();
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(log.clone())
                .with_ansi(false);
            tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
            log
        };
        LOG.get_or_init(start).clone()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for CapturedLog {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for CapturedLog {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn logs_contain_requests_but_no_personal_data() {
    let sandbox = sandbox(Switches::default()).await;
    let log = CapturedLog::install();

    let bill = client(&sandbox);
    let (organization_id, user_id) = any_organization(&sandbox);
    let page = bill
        .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();
    let organization_client = bill.organization(&organization_id, test_deadline());
    let users = organization_client.users().await.unwrap();
    organization_client.sign_in(&user_id).await.unwrap();
    inject_fault(&sandbox, "listPayments", status_fault(503, None), 1);
    organization_client.payments_page(None).await.unwrap();
    inject_fault(&sandbox, "listPayments", FaultKind::Html { status: 403 }, 1);
    let error = organization_client.payments_page(None).await.unwrap_err();

    let mut private: Vec<String> = page
        .rows
        .iter()
        .filter_map(|row| row.name.as_ref())
        .map(|name| name.expose_secret().to_owned())
        .collect();
    for user in &users.rows {
        private.extend(
            [&user.first_name, &user.email]
                .into_iter()
                .flatten()
                .map(|text| text.expose_secret().to_owned()),
        );
        private.extend(user.id.clone());
    }
    let last_names = sandbox
        .organization(&organization_id)
        .unwrap()
        .users
        .into_iter()
        .filter_map(|user| user.last_name);
    private.extend(last_names);
    let credentials = sandbox.credentials();
    private.extend(
        [
            &credentials.username,
            &credentials.password,
            &credentials.app_key,
            &credentials.dev_key,
        ]
        .map(Clone::clone),
    );

    let text = log.text();
    assert!(
        text.contains("BILL request")
            && text.contains("listPayments")
            && text.contains("bill_unavailable"),
        "{text}"
    );

    let shown = format!(
        "{text}\n{bill:?}\n{organization_client:?}\n{page:?}\n{users:?}\n{error:?}\n{error}"
    );
    for secret in private.iter().filter(|text| text.len() > 2) {
        assert!(!shown.contains(secret.as_str()), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn logs_errors_and_debug_contain_no_session_or_body() {
    let body =
        r#"[{"code":"BDC_1002","message":"secret","params":[{"name":"secret","value":"secret"}]}]"#;
    let server = ScriptedServer::start([
        reply(400, body),
        reply(200, r#"{"results":[],"nextPage":"t-secret"}"#),
        reply(500, "secret").header("retry-after", "60"),
    ])
    .await;
    let log = CapturedLog::install();
    let bill = server.client();
    let refused = bill
        .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap_err();
    let page = bill
        .organizations_page(OrganizationOrder::OldestFirst, None, test_deadline())
        .await
        .unwrap();
    let unavailable = bill
        .organizations_page(
            OrganizationOrder::OldestFirst,
            page.next.as_ref(),
            test_deadline(),
        )
        .await
        .unwrap_err();
    let shown = format!(
        "{}{bill:?}{refused:?}{refused}{page:?}{unavailable:?}{unavailable}{:?}",
        log.text(),
        PageToken::new("secret")
    );

    assert!(!shown.contains("secret"), "{shown}");
    assert_eq!(page.next.unwrap().as_str(), "t-secret");
}
