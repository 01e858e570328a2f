//! The local cloud: MiniStack as AWS, the BILL sandbox and the deployed stack, without Docker and
//! without an AWS account.
//!
//! [`LocalCloud::start`] starts MiniStack from `.venv`, starts a sandbox inside this process, runs
//! `sam deploy` with the output of `make build` and stores the sandbox's credentials in the stack.
//! Everything stops when the [`LocalCloud`] is dropped or this process exits, even when it is
//! killed.
//!
//! Start reading in `cloud.rs` (start and access), `deployment.rs` (`sam deploy`) and
//! `ministack.rs` (the AWS process). `queue.rs`, `sent_emails.rs`, `logs.rs` and `tables.rs` read
//! what the stack did; `report.rs` compares it with the stages that the sandbox expects.
//! `fault_proxy.rs` records and breaks AWS calls for the end-to-end tests. `example_product.rs`
//! serves an example of a partner's product with the in-product banner.
//!
//! The binary `local-cloud` (`make demo`, `make local`, `make sam-local`) and the end-to-end tests
//! use this library. It does not know the code of the functions: it runs their built binaries.

mod api;
mod child_guard;
mod clients;
mod cloud;
mod deployment;
mod event_bus;
mod example_product;
mod fault_proxy;
mod invocation;
mod local_aws;
mod logs;
mod ministack;
mod options;
mod queue;
mod report;
mod sent_emails;
mod tables;
mod workspace;

pub use api::HttpApi;
pub use child_guard::ChildGuard;
pub use cloud::LocalCloud;
pub use deployment::{Outputs, sam_command};
pub use example_product::ExampleProduct;
pub use fault_proxy::{AwsCall, AwsFault, AwsResponse, CallOutcome, FaultProxy};
pub use invocation::Invocation;
pub use local_aws::LocalAws;
pub use options::{Options, ProgressCallback};
pub use queue::{Backlog, QueuedMessage};
pub use report::{Mismatch, Report};
pub use sent_emails::SentEmail;
pub use workspace::{bare_environment, python_package_file, tool_path, workspace_root};
