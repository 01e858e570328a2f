//! A client of the stack's HTTP API, for signed and unsigned requests by the API's host name.

use std::time::SystemTime;

use anyhow::{Context, Result};
use aws_sdk_lambda::config::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use reqwest::{Client, Method, RequestBuilder, Response, Url};

use crate::options::REGION;

/// A client of the stack's HTTP API.
#[derive(Debug, Clone)]
pub struct HttpApi {
    http: Client,
    url: String,
}

impl HttpApi {
    /// `url` is the stack's output. Its host name resolves to MiniStack's `endpoint`, because not
    /// every machine resolves subdomains of `localhost`.
    pub(crate) fn new(url: &str, endpoint: &str) -> Result<Self> {
        let parsed: Url = url.parse()?;
        let socket_address = endpoint
            .trim_start_matches("http://")
            .parse()
            .with_context(|| format!("{endpoint} is not host and port"))?;
        #[expect(
            clippy::disallowed_methods,
            reason = "calls the loopback interface only"
        )]
        let http = Client::builder()
            .resolve(
                parsed
                    .host_str()
                    .context("the URL of the API has no host")?,
                socket_address,
            )
            .build()?;

        Ok(Self {
            http,
            url: url.to_owned(),
        })
    }

    /// The URL of a path.
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// An unsigned request.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// Sends a request without a body, signed with AWS Signature Version 4 by an identity that may
    /// call the whole API. `Err` means that no response arrived.
    pub async fn send_signed(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Response> {
        let identity = Credentials::new("test", "test", None, None, "local-cloud").into();
        #[expect(
            clippy::disallowed_methods,
            reason = "AWS accepts a signature only for minutes after its time"
        )]
        let now = SystemTime::now();

        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name("execute-api")
            .time(now);
        let params = params.settings(SigningSettings::default()).build()?.into();

        let url = self.url(path);
        let signable = SignableRequest::new(
            method.as_str(),
            &url,
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
