//! An example of a partner's product, with the banner that partners copy
//! (`infra/local/cloud/example/banner.js`).
//!
//! Browsers cannot call the in-product API, which accepts only requests that are signed with
//! credentials of the partner's account. The product's back end calls it for the organization of
//! the signed-in user. The browser sends no organization id and sees no credentials. The sign-in is
//! simulated: `/?organization=ID` signs the browser in as a user of that customer.

use std::{io, time::Duration};

use anyhow::Result;
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use engagement::OrganizationId;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};

use crate::{api::HttpApi, cloud::LocalCloud, tables};

/// Time allowed for one call of the in-product API. It exceeds the time-out of the API's function,
/// whose cold start is slow on a busy machine.
const API_TIMEOUT: Duration = Duration::from_secs(20);

/// The running example product. Dropping it stops the server.
pub struct ExampleProduct {
    url: String,
    server: JoinHandle<io::Result<()>>,
}

impl ExampleProduct {
    /// Starts to serve the product on `listener`. `Err` means that the stack lacks an output.
    pub fn start(cloud: &LocalCloud, listener: TcpListener) -> Result<Self> {
        let back_end = BackEnd {
            api: cloud.api()?,
            dynamodb: cloud.dynamodb().clone(),
            organizations_table: cloud.output("OrganizationsTable")?.to_owned(),
        };
        let url = format!("http://{}", listener.local_addr()?);
        let routes = Router::new()
            .route("/engage/messages", get(messages))
            .route("/engage/messages/{message}/dismiss", post(dismiss))
            .route("/", get(page))
            .route("/customers", get(customers))
            .route(
                "/banner.js",
                static_file("text/javascript", include_str!("../example/banner.js")),
            )
            .route(
                "/customers.js",
                static_file("text/javascript", include_str!("../example/customers.js")),
            )
            .route(
                "/page.css",
                static_file("text/css", include_str!("../example/page.css")),
            );
        let server = tokio::spawn(axum::serve(listener, routes.with_state(back_end)).into_future());
        Ok(Self { url, server })
    }

    /// The product's URL. Append `/?organization=ID` for the page of a customer.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for ExampleProduct {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Clone)]
struct BackEnd {
    api: HttpApi,
    dynamodb: aws_sdk_dynamodb::Client,
    organizations_table: String,
}

impl BackEnd {
    /// Calls the in-product API. `Err` is the status to return to the browser when the API does not
    /// respond.
    async fn call_api(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<reqwest::Response, StatusCode> {
        match timeout(API_TIMEOUT, self.api.send_signed(method, path, headers)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(_)) => Err(StatusCode::BAD_GATEWAY),
            Err(_) => Err(StatusCode::GATEWAY_TIMEOUT),
        }
    }
}

/// Returns the messages that the banner shows.
async fn messages(
    State(back_end): State<BackEnd>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let organization = session_organization(&headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .map(|tags| ("if-none-match", tags));

    let response = back_end
        .call_api(
            Method::GET,
            &format!("/v1/organizations/{organization}/messages"),
            known.as_slice(),
        )
        .await?;
    let status = response.status();
    let tag = response.headers().get(header::ETAG).cloned();

    // `no-cache`: the browser must revalidate a stored response. It belongs to the signed-in user,
    // and a message that was just dismissed must not reappear from the cache.
    let caching = [(header::CACHE_CONTROL, "private, no-cache")];
    let tag: HeaderMap = tag.map(|tag| (header::ETAG, tag)).into_iter().collect();
    if status != StatusCode::OK {
        return Ok((status, caching, tag).into_response());
    }
    let body = response.text().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    Ok((
        caching,
        tag,
        [(header::CONTENT_TYPE, "application/json")],
        body,
    )
        .into_response())
}

/// Dismisses a message for the organization of the signed-in user.
async fn dismiss(
    State(back_end): State<BackEnd>,
    Path(message): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, StatusCode> {
    let organization = session_organization(&headers).ok_or(StatusCode::UNAUTHORIZED)?;
    if !is_message_id(&message) {
        return Err(StatusCode::NOT_FOUND);
    }
    let path = format!("/v1/organizations/{organization}/messages/{message}/dismiss");
    Ok(back_end.call_api(Method::POST, &path, &[]).await?.status())
}

/// Whether `text` is safe as a path segment of a request that the back end signs. It must not
/// change the path to that of another organization.
fn is_message_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The organization of the signed-in user. A real product reads it from its own session, which the
/// browser cannot change.
fn session_organization(headers: &HeaderMap) -> Option<OrganizationId> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies
        .split(';')
        .find_map(|cookie| cookie.trim().strip_prefix("organization=")?.parse().ok())
}

#[derive(Deserialize)]
struct PageQuery {
    organization: Option<OrganizationId>,
}

/// Returns the page of the customer in the query, or the list of customers without one.
async fn page(Query(PageQuery { organization }): Query<PageQuery>) -> Response {
    const POLICY: &str = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    let policy = [(header::CONTENT_SECURITY_POLICY, POLICY)];
    let Some(organization) = organization else {
        return (policy, Html(include_str!("../example/customers.html"))).into_response();
    };
    let cookie = format!("organization={organization}; HttpOnly; SameSite=Strict; Path=/");
    (
        policy,
        [(header::SET_COOKIE, cookie)],
        Html(include_str!("../example/product.html")),
    )
        .into_response()
}

/// Lists the synced customers. A real product has its own customer list; this one reads the
/// stack's.
async fn customers(State(back_end): State<BackEnd>) -> Result<Json<Vec<Value>>, StatusCode> {
    let items = tables::scan(&back_end.dynamodb, &back_end.organizations_table)
        .await
        .map_err(|_| StatusCode::BAD_GATEWAY)?;
    let mut items: Vec<_> = items
        .into_iter()
        .filter(|item| item["stage"].is_string())
        .collect();
    items.sort_by_cached_key(|item| item["name"].as_str().unwrap_or_default().to_owned());

    let customers = items.iter().map(|item| {
        json!({
            "id": item["organization_id"], "name": item["name"], "stage": item["stage"]
        })
    });
    Ok(Json(customers.collect()))
}

fn static_file(media_type: &'static str, text: &'static str) -> MethodRouter<BackEnd> {
    get(move || async move {
        (
            [(header::CONTENT_TYPE, format!("{media_type}; charset=utf-8"))],
            text,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_id_cannot_change_the_request_path() {
        assert!(is_message_id("no_bank_account-20261123T060000Z"));
        for id in [
            "",
            "..",
            "../../00802OTHER/messages/x",
            "x/y",
            "x?y",
            "x#y",
            "x%2fy",
            &"x".repeat(65),
        ] {
            assert!(!is_message_id(id), "{id}");
        }
    }

    #[test]
    fn organization_is_read_from_the_session_cookie() {
        let organization_of = |cookies: &'static str| {
            session_organization(&HeaderMap::from_iter([(
                header::COOKIE,
                cookies.parse().unwrap(),
            )]))
        };
        assert_eq!(
            organization_of("theme=dark; organization=00802KESTREL")
                .unwrap()
                .as_str(),
            "00802KESTREL"
        );
        for cookies in [
            "",
            "organization=",
            "organization=../x",
            "xorganization=00802KESTREL",
        ] {
            assert_eq!(organization_of(cookies), None, "{cookies}");
        }
    }
}
