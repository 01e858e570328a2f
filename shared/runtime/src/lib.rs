//! The parts that every Lambda function shares: configuration, secrets, logs, metrics, SQS batches
//! and HTTP responses.
//!
//! A function's `main.rs` calls [`launch`], which installs the log format. It then reads its
//! configuration through [`Environment`], builds its clients from [`aws_config()`], and passes a
//! handler to [`serve`] or [`http::serve`]. A function with an SQS trigger calls
//! [`sqs::run_batch`] in its handler.
//!
//! ```no_run
//! use runtime::{Environment, Failure, Metrics};
//! # struct Config { environment: String }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> std::process::ExitCode {
//!     runtime::launch(start()).await
//! }
//!
//! async fn start() -> Result<(), Failure> {
//!     let mut variables = Environment::from_process();
//!     let environment = variables.required("ENVIRONMENT");
//!     let config = variables.build(|| Some(Config { environment: environment? }))?;
//!     let metrics = Metrics::new("fan-out", &config.environment);
//!     runtime::serve(&metrics, async |event: serde_json::Value, context| {
//!         let schedule = runtime::ScheduleEvent::parse(&event)?;
//!         let as_of = schedule.as_of.unwrap_or_else(runtime::clock::now);
//!         metrics.count("sweeps");
//!         Ok(serde_json::json!({ "as_of": as_of, "request": context.request_id }))
//!     })
//!     .await
//! }
//! ```
//!
//! Where to start reading: `invocation.rs` runs an invocation from event to response, `errors.rs`
//! lists every error type, and `sqs.rs` isolates the records of a batch from each other.
//!
//! The crate knows Lambda and AWS. It knows neither BILL's API nor the tables nor the engagement
//! rules. It is the only crate that reads the clock and the environment.

mod aws;
pub mod clock;
mod config;
mod dead_letter_queue;
mod deadline;
mod errors;
pub mod http;
mod invocation;
mod metrics;
mod schedule;
mod secrets;
pub mod sqs;
pub mod telemetry;

pub use aws::{aws_config, interactive_aws_config};
pub use config::{ConfigError, Environment};
pub use dead_letter_queue::DeadLetterQueue;
pub use deadline::Deadline;
pub use errors::{ClassifiedError, ErrorType, Failure};
pub use invocation::{launch, serve};
pub use metrics::Metrics;
pub use schedule::{ScheduleEvent, ScheduleEventError};
pub use secrets::{Secret, SecretError, SecretLabel};
