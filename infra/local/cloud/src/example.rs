//! A partner's product in miniature, with the banner that partners copy
//! (`infra/local/cloud/example/banner.js`).
//!
//! Browsers cannot call the in-product API, which takes requests that are signed for the partner's
//! account. So the product's back end calls it, about the organization of whoever is signed in: a
//! browser names no organization when it asks, and sees no credentials. Signing in is made up:
//! `/?organization=ID` makes the browser a user of that customer.

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

use crate::{api::Api, cloud::LocalCloud, tables};

/// The product. It is served until this is dropped.
pub struct ExampleProduct {
    url: String,
    server: JoinHandle<io::Result<()>>,
}

impl ExampleProduct {
    /// Serves it to whoever connects to `listener`.
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
                file("text/javascript", include_str!("../example/banner.js")),
            )
            .route(
                "/customers.js",
                file("text/javascript", include_str!("../example/customers.js")),
            )
            .route(
                "/page.css",
                file("text/css", include_str!("../example/page.css")),
            );
        let server = tokio::spawn(axum::serve(listener, routes.with_state(back_end)).into_future());
        Ok(Self { url, server })
    }

    /// Its address; with `/?organization=ID` that of a customer's page.
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
    api: Api,
    dynamodb: aws_sdk_dynamodb::Client,
    organizations_table: String,
}

impl BackEnd {
    /// Asks the in-product API. `Err`: it does not answer, which the page does not make worse by
    /// waiting.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<reqwest::Response, StatusCode> {
        match timeout(PATIENCE, self.api.send_signed(method, path, headers)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(StatusCode::BAD_GATEWAY),
            Err(_) => Err(StatusCode::GATEWAY_TIMEOUT),
        }
    }
}

/// Longer than the API's function may take, which is slow when it starts on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the banner shows.
async fn messages(
    State(back_end): State<BackEnd>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let organization = signed_in(&headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .map(|tags| ("if-none-match", tags));
    let answer = back_end
        .ask(
            Method::GET,
            &format!("/v1/organizations/{organization}/messages"),
            known.as_slice(),
        )
        .await?;
    let status = answer.status();
    let tag = answer.headers().get(header::ETAG).cloned();
    // The browser may keep the answer but has to ask whether it still holds: it stands for whoever
    // is signed in, and a message that was closed a second ago is not to come back from the
    // browser's cache.
    let caching = [(header::CACHE_CONTROL, "private, no-cache")];
    let tag: HeaderMap = tag.map(|tag| (header::ETAG, tag)).into_iter().collect();
    if status != StatusCode::OK {
        return Ok((status, caching, tag).into_response());
    }
    let body = answer.text().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    Ok((
        caching,
        tag,
        [(header::CONTENT_TYPE, "application/json")],
        body,
    )
        .into_response())
}

/// A user has closed a message.
async fn dismiss(
    State(back_end): State<BackEnd>,
    Path(message): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, StatusCode> {
    let organization = signed_in(&headers).ok_or(StatusCode::UNAUTHORIZED)?;
    if !is_message_id(&message) {
        return Err(StatusCode::NOT_FOUND);
    }
    let path = format!("/v1/organizations/{organization}/messages/{message}/dismiss");
    Ok(back_end.ask(Method::POST, &path, &[]).await?.status())
}

/// Whether this may stand in the path of a request that is about to be signed: nothing that leads
/// to another organization.
fn is_message_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The organization of whoever is signed in. A real product has it in its session, where no browser
/// can change it.
fn signed_in(headers: &HeaderMap) -> Option<OrganizationId> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies
        .split(';')
        .find_map(|cookie| cookie.trim().strip_prefix("organization=")?.parse().ok())
}

#[derive(Deserialize)]
struct Visit {
    organization: Option<OrganizationId>,
}

/// The page of a customer, or the list of customers.
async fn page(Query(Visit { organization }): Query<Visit>) -> Response {
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

/// The customers that were looked at: the product's own knowledge, here read from the stack.
async fn customers(State(back_end): State<BackEnd>) -> Result<Json<Vec<Value>>, StatusCode> {
    let items = tables::scan(&back_end.dynamodb, &back_end.organizations_table)
        .await
        .map_err(|_| StatusCode::BAD_GATEWAY)?;
    let mut items: Vec<_> = items
        .into_iter()
        .filter(|item| item["stage"].is_string())
        .collect();
    items.sort_by_cached_key(|item| item["name"].as_str().unwrap_or_default().to_owned());
    Ok(Json(items.iter().map(|item| json!({ "id": item["organization_id"], "name": item["name"], "stage": item["stage"] })).collect()))
}

fn file(media_type: &'static str, text: &'static str) -> MethodRouter<BackEnd> {
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
        let of = |cookies: &'static str| {
            signed_in(&HeaderMap::from_iter([(
                header::COOKIE,
                cookies.parse().unwrap(),
            )]))
        };
        assert_eq!(
            of("theme=dark; organization=00802KESTREL")
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
            assert_eq!(of(cookies), None, "{cookies}");
        }
    }
}
