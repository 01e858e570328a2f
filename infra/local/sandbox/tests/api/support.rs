//! A partner that talks to a sandbox.

use jiff::Timestamp;
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use sandbox::{Bank, Options, Organization, Payments, Population, Sandbox, Switches, User};
use serde_json::{Value, json};

use crate::contract::Contract;

/// A sandbox and a signed-in partner.
pub struct Partner {
    pub sandbox: Sandbox,
    pub http: reqwest::Client,
    pub session: String,
    contract: Option<Contract>,
}

/// An answer, read as JSON; null when it has no content or is no JSON.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

/// The time at which the sandboxes of the tests start.
pub fn start() -> Timestamp {
    "2026-09-15T10:00:00Z".parse().unwrap()
}

pub fn days_before_start(days: i64) -> Timestamp {
    start() - jiff::SignedDuration::from_hours(24 * days)
}

/// An organization with one administrator, one verified bank account and these payments.
pub fn organization_with_payments(id: &str, payments: Vec<Payments>) -> Organization {
    Organization {
        id: Some(id.to_owned()),
        name: Some("Kestrel Bakehouse LLC".to_owned()),
        created_at: days_before_start(400),
        scenario: "test".to_owned(),
        users: vec![User::administrator(
            "marisol@kestrel.example",
            days_before_start(399),
        )],
        banks: vec![Bank::new("VERIFIED", days_before_start(200))],
        payments,
        ..Organization::default()
    }
}

impl Partner {
    pub async fn of(organizations: usize) -> Self {
        Self::with(Options {
            population: Population {
                organizations,
                ..Population::default()
            },
            ..options()
        })
        .await
    }

    pub async fn with_switches(switches: Switches) -> Self {
        Self::with(Options {
            switches,
            ..options()
        })
        .await
    }

    /// A partner whose answers may break the contract.
    pub async fn with_bad_records(organizations: usize) -> Self {
        let population = Population {
            organizations,
            bad_records: true,
            ..Population::default()
        };
        Self::with(Options {
            population,
            ..options()
        })
        .await
        .without_contract_checks()
    }

    /// The same partner, whose further answers are not checked.
    pub fn without_contract_checks(self) -> Self {
        Self {
            contract: None,
            ..self
        }
    }

    pub async fn with(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let mut partner = Self {
            sandbox,
            http: http_client(),
            session: String::new(),
            contract: Some(Contract::read()),
        };
        partner.session = partner.log_in().await;
        partner
    }

    /// The same partner in a new session.
    pub async fn logged_in_again(self) -> Self {
        Self {
            session: self.log_in().await,
            ..self
        }
    }

    pub async fn log_in(&self) -> String {
        let credentials = self.sandbox.credentials();
        let body = json!({
            "username": credentials.username,
            "password": credentials.password,
            "appKey": credentials.app_key,
        });
        let answer = self.post("/v3/partner/login", &[], body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["sessionId"].as_str().unwrap().to_owned()
    }

    pub fn partner_headers(&self) -> [(&str, &str); 2] {
        [
            ("sessionId", &self.session),
            ("appKey", &self.sandbox.credentials().app_key),
        ]
    }

    pub fn organization_headers<'a>(&'a self, session: &'a str) -> [(&'a str, &'a str); 2] {
        [
            ("sessionId", session),
            ("devKey", &self.sandbox.credentials().dev_key),
        ]
    }

    /// A call at partner level.
    pub async fn get(&self, path: &str) -> Answer {
        self.get_with_headers(path, &self.partner_headers()).await
    }

    pub async fn users(&self, organization: &str) -> Answer {
        let [session, key] = self.partner_headers();
        self.get_with_headers(
            "/v3/partner/users?max=100",
            &[session, key, ("organizationId", organization)],
        )
        .await
    }

    /// A session as the organization's first user.
    pub async fn sign_in(&self, organization: &str) -> String {
        let user = self.sandbox.organization(organization).unwrap().users[0]
            .id
            .clone();
        let answer = self.login_as_user(&user, organization).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["sessionId"].as_str().unwrap().to_owned()
    }

    pub async fn login_as_user(&self, user: &str, organization: &str) -> Answer {
        let body = json!({ "userId": user, "organizationId": organization });
        self.post("/v3/partner/login-as-user", &self.partner_headers(), body)
            .await
    }

    /// A call at organization level.
    pub async fn get_with_session(&self, session: &str, path: &str) -> Answer {
        self.get_with_headers(path, &self.organization_headers(session))
            .await
    }

    pub async fn get_with_headers(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(
            Method::GET,
            path,
            self.http.get(self.address(path)),
            headers,
        )
        .await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        self.send(
            Method::POST,
            path,
            self.http.post(self.address(path)).json(&body),
            headers,
        )
        .await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(
            Method::DELETE,
            path,
            self.http.delete(self.address(path)),
            &self.partner_headers(),
        )
        .await
    }

    pub fn address(&self, path: &str) -> String {
        let base = if path.starts_with("/v3/subscriptions") {
            self.sandbox.events_url()
        } else {
            self.sandbox.url()
        };
        format!("{base}{path}")
    }

    /// All rows of a list, following `nextPage`, and how many pages they came on.
    pub async fn all(&self, path: &str, headers: &[(&str, &str)]) -> (Vec<Value>, usize) {
        let (mut rows, mut pages, mut page) = (Vec::new(), 0, String::new());
        loop {
            let separator = if path.contains('?') { '&' } else { '?' };
            let answer = self
                .get_with_headers(&format!("{path}{separator}page={page}"), headers)
                .await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            pages += 1;
            rows.extend(answer.body["results"].as_array().unwrap().clone());
            match answer.body["nextPage"].as_str() {
                Some(next) if !next.is_empty() => next.clone_into(&mut page),
                _ => return (rows, pages),
            }
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        request: RequestBuilder,
        headers: &[(&str, &str)],
    ) -> Answer {
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let is_json = headers
            .get("content-type")
            .is_none_or(|kind| kind == "application/json");
        if let Some(contract) = self.contract.as_ref().filter(|_| is_json) {
            contract.check(&method, path, status, &text);
        }
        Answer {
            status,
            headers,
            body,
            text,
        }
    }
}

impl Answer {
    /// The codes of an error answer.
    pub fn codes(&self) -> Vec<&str> {
        self.body
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["code"].as_str().unwrap())
            .collect()
    }

    /// The ids of a list's rows.
    pub fn ids(&self) -> Vec<&str> {
        self.body["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_str().unwrap())
            .collect()
    }
}

pub fn options() -> Options {
    Options {
        clock: start(),
        ..Options::default()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the product's client would hide what these tests look at"
)]
fn http_client() -> reqwest::Client {
    // Hyper repeats a request on a connection that died before the answer; a reset must be seen
    // once.
    reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
        .unwrap()
}
