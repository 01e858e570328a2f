//! The HTTP API, asked over HTTP as recipients and mail clients ask it.

use anyhow::{Context, Result};
use local_cloud::LocalCloud;
use reqwest::{Method, RequestBuilder, StatusCode};
use url::Url;

/// A client of the API of a local cloud.
pub struct Api {
    http: reqwest::Client,
    url: Url,
}

/// What the API answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    pub body: String,
}

impl Api {
    /// Names below `localhost` are known to browsers, but not to every machine's resolver, so the
    /// client knows this one itself.
    pub fn of(cloud: &LocalCloud) -> Result<Self> {
        let url: Url = cloud.output("ApiUrl")?.parse()?;
        let host = url.host_str().context("the API has no host")?;
        let port = url.port().context("the API has no port")?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a client for the loopback interface alone, without TLS and proxies"
        )]
        let http = reqwest::Client::builder()
            .no_proxy()
            .resolve(host, ([127, 0, 0, 1], port).into())
            .build()?;
        Ok(Self { http, url })
    }

    /// The address behind which the page for a token is.
    pub fn unsubscribe_url(&self, token: &str) -> Result<Url> {
        Ok(self.url.join("unsubscribe/")?.join(token)?)
    }

    /// A request that is not sent yet.
    pub fn request(&self, method: Method, address: &Url) -> RequestBuilder {
        self.http.request(method, address.clone())
    }

    pub async fn get(&self, address: &Url) -> Result<Answer> {
        answer(self.request(Method::GET, address)).await
    }

    /// Sends a form as browsers and mail clients do.
    pub async fn post(&self, address: &Url, form: &str) -> Result<Answer> {
        let request = self
            .request(Method::POST, address)
            .header("content-type", "application/x-www-form-urlencoded");
        answer(request.body(form.to_owned())).await
    }
}

/// Sends a request.
pub async fn answer(request: RequestBuilder) -> Result<Answer> {
    let answer = request.send().await?;
    Ok(Answer {
        status: answer.status(),
        body: answer.text().await?,
    })
}
