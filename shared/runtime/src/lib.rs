//! The parts that every Lambda function shares: configuration, secrets, logs, metrics, SQS batches
//! and HTTP responses.
//!
//! A function's `main.rs` calls [`launch`], which installs the log format. It then reads its
//! configuration, builds its clients from [`aws_config()`], and passes a handler to [`serve`] or
//! [`http::serve`]. The handler gets the parsed event and its [`Invocation`]. A function with an
//! SQS trigger calls [`sqs::run_batch`] in its handler.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use environment::FromEnvironment;
//! use runtime::{Failure, Invocation, Metrics, ScheduleEvent};
//!
//! environment::config! {
//!     struct Config { environment: String }
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> std::process::ExitCode {
//!     runtime::launch(start()).await
//! }
//!
//! async fn start() -> Result<(), Failure> {
//!     let config = Config::from_process()?;
//!     let metrics = Metrics::new("fan-out", config.environment);
//!     let margin = Duration::from_secs(5);
//!     runtime::serve(metrics, margin, async |event: ScheduleEvent, invocation: Invocation| {
//!         invocation.metrics.count("sweeps");
//!         Ok(serde_json::json!({ "as_of": event.as_of(&invocation) }))
//!     })
//!     .await
//! }
//! ```
//!
//! Where to start reading: `invocation.rs` runs an invocation from event to response, and
//! `sqs.rs` isolates the records of a batch from each other. The crate `errors` lists every type of
//! error.
//!
//! The crate knows Lambda and AWS. It knows neither BILL's API nor the tables nor the engagement
//! rules. It is the only crate that reads the clock.

mod as_of_limit;
mod aws;
pub mod clock;
mod dead_letter_queue;
mod deadline;
mod failure;
pub mod http;
mod invocation;
mod metrics;
mod schedule;
mod secrets;
pub mod sqs;
pub mod telemetry;

pub use as_of_limit::{AsOfInFuture, AsOfLimit};
pub use aws::{aws_config, interactive_aws_config};
pub use dead_letter_queue::DeadLetterQueue;
pub use deadline::Deadline;
pub use errors::{ClassifiedError, ErrorType};
pub use failure::Failure;
pub use invocation::{Event, Invocation, launch, serve};
pub use metrics::Metrics;
pub use schedule::ScheduleEvent;
pub use secrets::{Secret, SecretError, SecretLabel};
