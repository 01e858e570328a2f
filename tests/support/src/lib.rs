//! What the tests of several crates share: servers on the loopback interface and a writer that
//! captures output.
//!
//! - [`serve`] serves an axum router on a free port, as a stand-in for an AWS service or for BILL.
//! - [`sdk_config`] configures AWS SDK clients to call such a server.
//! - [`create_tables`] creates the tables of the template.
//! - [`table_names`] names the tables for a stand-in of DynamoDB.
//! - [`LocalAws`] is the MiniStack process of a test run: tables, secrets and queues.
//! - [`CapturedOutput`] collects logs and metrics, so that a test can read them.
//!
//! A failed step panics, which fails the test. The crate is a dev-dependency only and knows nothing
//! about the functions or BILL. The deployed stack is started by `local-cloud`.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a failed step of a test fails the test"
)]

mod captured_output;
mod local_aws;
mod sdk_config;
mod table_names;
mod template;

use std::net::Ipv4Addr;

use axum::Router;
use tokio::net::TcpListener;

pub use captured_output::CapturedOutput;
pub use local_aws::LocalAws;
pub use sdk_config::sdk_config;
pub use table_names::table_names;
pub use template::create_tables;

/// Serves the routes on a free loopback port until the test ends. Returns the server's URL without
/// a path.
///
/// # Panics
///
/// When no port is free.
pub async fn serve(routes: Router) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a loopback port is free");
    let address = listener.local_addr().expect("a listener has an address");
    tokio::spawn(async move { axum::serve(listener, routes).await });

    format!("http://{address}")
}
