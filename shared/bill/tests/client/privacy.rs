//! Nothing private in logs, errors or `Debug`.

use std::{
    io::Write,
    sync::{Arc, Mutex, OnceLock},
};

use bill::PageToken;
use sandbox::{FaultKind, Switches};
use secrecy::ExposeSecret;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    scripted::{Script, reply},
    support::{any_organization, client, fault, sandbox, soon, status},
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The one log of this process: a subscriber for one thread alone would miss what other tests
    /// registered first.
    fn install() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
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

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn logs_contain_requests_but_no_personal_data() {
    let sandbox = sandbox(Switches::default()).await;
    let log = Log::install();

    let bill = client(&sandbox);
    let (organization_id, user_id) = any_organization(&sandbox);
    let page = bill.organizations(None, soon()).await.unwrap();
    let scope = bill.organization(&organization_id, soon());
    let users = scope.users().await.unwrap();
    scope.sign_in(&user_id).await.unwrap();
    fault(&sandbox, "listPayments", status(503, None), 1);
    scope.payments_page(None).await.unwrap();
    fault(&sandbox, "listPayments", FaultKind::Html { status: 403 }, 1);
    let error = scope.payments_page(None).await.unwrap_err();

    let mut private: Vec<String> = page
        .rows
        .iter()
        .filter_map(|row| row.name.as_ref())
        .map(|name| name.expose_secret().to_owned())
        .collect();
    for user in &users.rows {
        private.extend(
            [&user.first_name, &user.last_name, &user.email]
                .into_iter()
                .flatten()
                .map(|text| text.expose_secret().to_owned()),
        );
        private.extend(user.id.clone());
    }
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
    let shown = format!("{text}\n{bill:?}\n{scope:?}\n{page:?}\n{users:?}\n{error:?}\n{error}");
    for secret in private.iter().filter(|text| text.len() > 2) {
        assert!(!shown.contains(secret.as_str()), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn logs_errors_and_debug_contain_no_session_or_body() {
    let body =
        r#"[{"code":"BDC_1002","message":"secret","params":[{"name":"secret","value":"secret"}]}]"#;
    let script = Script::start([
        reply(400, body),
        reply(200, r#"{"results":[],"nextPage":"t-secret"}"#),
        reply(500, "secret").header("retry-after", "60"),
    ])
    .await;
    let log = Log::install();
    let bill = script.client();
    let refused = bill.organizations(None, soon()).await.unwrap_err();
    let page = bill.organizations(None, soon()).await.unwrap();
    let unavailable = bill
        .organizations(page.next.as_ref(), soon())
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
