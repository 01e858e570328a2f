//! A signed-in partner and the sandbox that it uses.

use reqwest::{Method, RequestBuilder, header::HeaderMap};
use sandbox::{Options, Population, Sandbox, Switches};
use serde_json::{Value, json};

use super::fixtures::options;
use crate::contract::Contract;

/// A sandbox and a signed-in partner.
pub struct Partner {
    pub sandbox: Sandbox,
    pub http: reqwest::Client,
    pub session: String,
    contract: Option<Contract>,
}

/// A response. `body` is null if the response has no content or is not JSON.
pub struct ApiResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Partner {
    pub async fn with_organizations(organizations: usize) -> Self {
        Self::start(Options {
            population: Population {
                organizations,
                ..Population::default()
            },
            ..options()
        })
        .await
    }

    pub async fn with_switches(switches: Switches) -> Self {
        Self::start(Options {
            switches,
            ..options()
        })
        .await
    }

    /// A partner whose responses are not checked against the contract, because its records violate
    /// it.
    pub async fn with_bad_records(organizations: usize) -> Self {
        let population = Population {
            organizations,
            bad_records: true,
            ..Population::default()
        };

        Self::start(Options {
            population,
            ..options()
        })
        .await
        .without_contract_checks()
    }

    /// The same partner. Further responses are not checked against the contract.
    pub fn without_contract_checks(self) -> Self {
        Self {
            contract: None,
            ..self
        }
    }

    pub async fn start(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let mut partner = Self {
            sandbox,
            http: http_client(),
            session: String::new(),
            contract: Some(Contract::read()),
        };
        partner.session = partner.partner_login().await;

        partner
    }

    /// The same partner with a new session.
    pub async fn with_new_session(self) -> Self {
        Self {
            session: self.partner_login().await,
            ..self
        }
    }

    /// Opens a partner session and returns its id.
    pub async fn partner_login(&self) -> String {
        let credentials = self.sandbox.credentials();
        let body = json!({
            "username": credentials.username,
            "password": credentials.password,
            "appKey": credentials.app_key,
        });
        let response = self.post("/v3/partner/login", &[], body).await;
        assert_eq!(response.status, 200, "{}", response.text);

        response.body["sessionId"].as_str().unwrap().to_owned()
    }

    /// Opens a session of the organization's first user and returns its id.
    pub async fn sign_in(&self, organization: &str) -> String {
        let user = self.first_user_id(organization);
        let response = self.login_as_user(&user, organization).await;
        assert_eq!(response.status, 200, "{}", response.text);

        response.body["sessionId"].as_str().unwrap().to_owned()
    }

    pub fn first_user_id(&self, organization: &str) -> String {
        let organization = self.sandbox.organization(organization).unwrap();

        organization.users[0].id.clone()
    }

    pub async fn login_as_user(&self, user: &str, organization: &str) -> ApiResponse {
        let body = json!({ "userId": user, "organizationId": organization });

        self.post("/v3/partner/login-as-user", &self.partner_headers(), body)
            .await
    }

    pub async fn users(&self, organization: &str) -> ApiResponse {
        let [session, key] = self.partner_headers();

        self.get_with_headers(
            "/v3/partner/users?max=100",
            &[session, key, ("organizationId", organization)],
        )
        .await
    }

    pub async fn subscribe(&self, idempotency_key: &str, body: Value) -> ApiResponse {
        let [session, app_key] = self.partner_headers();

        self.post(
            "/v3/subscriptions",
            &[session, app_key, ("X-Idempotent-Key", idempotency_key)],
            body,
        )
        .await
    }

    /// All rows of a list, following `nextPage`, and the number of pages.
    pub async fn all_pages(&self, path: &str, headers: &[(&str, &str)]) -> (Vec<Value>, usize) {
        let separator = if path.contains('?') { '&' } else { '?' };
        let (mut rows, mut pages, mut page) = (Vec::new(), 0, String::new());
        loop {
            let response = self
                .get_with_headers(&format!("{path}{separator}page={page}"), headers)
                .await;
            assert_eq!(response.status, 200, "{}", response.text);
            pages += 1;
            rows.extend(response.body["results"].as_array().unwrap().clone());
            match response.body["nextPage"].as_str() {
                Some(next) if !next.is_empty() => next.clone_into(&mut page),
                _ => return (rows, pages),
            }
        }
    }

    /// A request with the partner session.
    pub async fn get(&self, path: &str) -> ApiResponse {
        self.get_with_headers(path, &self.partner_headers()).await
    }

    /// A request with an organization session.
    pub async fn get_with_session(&self, session: &str, path: &str) -> ApiResponse {
        self.get_with_headers(path, &self.organization_headers(session))
            .await
    }

    pub async fn get_with_headers(&self, path: &str, headers: &[(&str, &str)]) -> ApiResponse {
        let request = self.http.get(self.url_for(path));

        self.send(Method::GET, path, request, headers).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: Value) -> ApiResponse {
        let request = self.http.post(self.url_for(path)).json(&body);

        self.send(Method::POST, path, request, headers).await
    }

    pub async fn delete(&self, path: &str) -> ApiResponse {
        let request = self.http.delete(self.url_for(path));

        self.send(Method::DELETE, path, request, &self.partner_headers())
            .await
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

    pub fn url_for(&self, path: &str) -> String {
        let base = if path.starts_with("/v3/subscriptions") {
            self.sandbox.events_url()
        } else {
            self.sandbox.url()
        };

        format!("{base}{path}")
    }

    /// Sends the request and checks a JSON response against the contract.
    async fn send(
        &self,
        method: Method,
        path: &str,
        request: RequestBuilder,
        headers: &[(&str, &str)],
    ) -> ApiResponse {
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);

        let is_json = headers
            .get("content-type")
            .is_none_or(|content_type| content_type == "application/json");
        if let Some(contract) = self.contract.as_ref().filter(|_| is_json) {
            contract.check(&method, path, status, &text);
        }

        ApiResponse {
            status,
            headers,
            body,
            text,
        }
    }
}

impl ApiResponse {
    /// The codes of an error response.
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
        self.rows()
            .iter()
            .map(|row| row["id"].as_str().unwrap())
            .collect()
    }

    /// A list's rows.
    pub fn rows(&self) -> &[Value] {
        self.body["results"].as_array().unwrap()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the product's client would hide what these tests assert"
)]
fn http_client() -> reqwest::Client {
    // Without idle connections: hyper retries a request on a connection that closes before the
    // response, which would hide a reset.
    reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
        .unwrap()
}
