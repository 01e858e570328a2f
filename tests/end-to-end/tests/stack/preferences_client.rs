//! A client of the unsubscribe page, as browsers and e-mail clients use it.

use anyhow::{Context, Result, bail, ensure};
use local_cloud::LocalCloud;
use reqwest::{Method, RequestBuilder, StatusCode};
use scraper::Html;
use url::{Url, form_urlencoded};

use crate::support::selector;

/// A client of the unsubscribe page of a local cloud.
pub struct PreferencesClient {
    http: reqwest::Client,
    url: Url,
}

/// Status and body of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageResponse {
    pub status: StatusCode,
    pub body: String,
}

impl PreferencesClient {
    /// Browsers resolve names below `localhost`, but not every machine's resolver does, so the
    /// client resolves the API's name itself.
    pub fn new(cloud: &LocalCloud) -> Result<Self> {
        let url: Url = cloud.output("ApiUrl")?.parse()?;
        let host = url.host_str().context("the URL of the API has no host")?;
        let port = url.port().context("the URL of the API has no port")?;

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

    /// The URL of the page for a token.
    pub fn unsubscribe_url(&self, token: &str) -> Result<Url> {
        Ok(self.url.join("unsubscribe/")?.join(token)?)
    }

    /// A request that is not sent yet.
    pub fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        self.http.request(method, url.clone())
    }

    pub async fn get(&self, url: &Url) -> Result<PageResponse> {
        send(self.request(Method::GET, url)).await
    }

    /// Sends a form as browsers and e-mail clients do.
    pub async fn post(&self, url: &Url, form: &str) -> Result<PageResponse> {
        let request = self
            .request(Method::POST, url)
            .header("content-type", "application/x-www-form-urlencoded");

        send(request.body(form.to_owned())).await
    }
}

/// Sends a request and reads the response.
pub async fn send(request: RequestBuilder) -> Result<PageResponse> {
    let response = request.send().await?;

    Ok(PageResponse {
        status: response.status(),
        body: response.text().await?,
    })
}

/// The actions of the forms of a page, in the order of the page.
pub fn form_actions(page: &str) -> Result<Vec<String>> {
    let inputs = selector("form input[name=action]")?;

    Ok(Html::parse_document(page)
        .select(&inputs)
        .filter_map(|input| input.attr("value").map(str::to_owned))
        .collect())
}

/// URL and body of the request that the form with this action sends. `page_url` is the URL of the
/// page itself.
pub fn form_request(page: &str, page_url: &Url, action: &str) -> Result<(Url, String)> {
    let page = Html::parse_document(page);
    let (forms, inputs) = (selector("form")?, selector("input[name]")?);

    for form in page.select(&forms) {
        let fields: Vec<_> = form
            .select(&inputs)
            .filter_map(|input| Some((input.attr("name")?, input.attr("value")?)))
            .collect();
        if !fields.contains(&("action", action)) {
            continue;
        }

        ensure!(
            form.attr("method")
                .is_some_and(|method| method.eq_ignore_ascii_case("post")),
            "the form does not use POST"
        );
        let target = form
            .attr("action")
            .map_or_else(|| Ok(page_url.clone()), |target| page_url.join(target))?;
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        return Ok((target, body));
    }
    bail!("no form for {action} in {}", page.html())
}
