//! The stack's HTTP API, called as clients call it: by its own name, signed or not.

use std::time::SystemTime;

use anyhow::{Context, Result};
use aws_sdk_lambda::config::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use reqwest::{Client, Method, RequestBuilder, Response, Url};

use crate::ministack::REGION;

/// A client of the HTTP API.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client,
    url: String,
}

impl Api {
    /// `url` as the stack's output tells it, behind which MiniStack is at `endpoint`: not every
    /// machine knows names below `localhost`.
    pub(crate) fn new(url: &str, endpoint: &str) -> Result<Self> {
        let parsed: Url = url.parse()?;
        let address = endpoint
            .trim_start_matches("http://")
            .parse()
            .with_context(|| format!("{endpoint} is no address"))?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a client for the loopback interface alone"
        )]
        let http = Client::builder()
            .resolve(
                parsed.host_str().context("the API's address has no host")?,
                address,
            )
            .build()?;
        Ok(Self {
            http,
            url: url.to_owned(),
        })
    }

    /// The address of a path.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// A request like anybody's.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.address(path))
    }

    /// Sends a request without a body, signed by somebody who may call the whole API (AWS Signature
    /// Version 4).
    pub async fn send_signed(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Response> {
        let identity = Credentials::new("test", "test", None, None, "local-cloud").into();
        #[expect(
            clippy::disallowed_methods,
            reason = "a signature holds for minutes from now on"
        )]
        let now = SystemTime::now();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name("execute-api")
            .time(now);
        let params = params.settings(SigningSettings::default()).build()?.into();
        let address = self.address(path);
        let signable = SignableRequest::new(
            method.as_str(),
            &address,
            headers.iter().copied(),
            SignableBody::Bytes(&[]),
        )?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let mut request = self.request(method, path);
        for (name, value) in headers.iter().copied().chain(instructions.headers()) {
            request = request.header(name, value);
        }
        Ok(request.send().await?)
    }
}
