//! Servers of a test: what stands at the other end of a connection, on a free port of the loopback
//! interface.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed step of a test fails the test"
)]

mod ministack;

use std::net::Ipv4Addr;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use axum::Router;
use tokio::net::TcpListener;

pub use ministack::MiniStack;

/// Serves the routes until the test ends; the server's URL, without a path.
///
/// # Panics
///
/// When no port is free.
pub async fn serve(routes: Router) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("the address of a listener");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

/// What clients need to take `endpoint` for AWS.
pub fn aws(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}
