//! What every function needs: configuration, secrets, telemetry, metrics, SQS batches and HTTP
//! answers.
//!
//! A function's `main.rs` looks like this:
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
//!         metrics.count("sweeps");
//!         Ok(serde_json::json!({ "as_of": schedule.as_of_or_now(), "request": context.request_id }))
//!     })
//!     .await
//! }
//! ```

pub mod aws;
mod capture;
pub mod clock;
pub mod config;
mod dead_letters;
pub mod deadline;
pub mod errors;
pub mod http;
pub mod invocation;
pub mod metrics;
mod partner;
pub mod schedule;
pub mod secrets;
pub mod sqs;
pub mod telemetry;

pub use aws::aws_config;
pub use capture::CapturedOutput;
pub use config::{ConfigError, Environment};
pub use dead_letters::DeadLetterQueue;
pub use deadline::Deadline;
pub use errors::{ClassifiedError, ErrorType, Failure};
pub use invocation::{launch, serve};
pub use metrics::Metrics;
pub use partner::connect;
pub use schedule::ScheduleEvent;
pub use secrets::{Secret, SecretError};
