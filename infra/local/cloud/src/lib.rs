//! The local cloud: MiniStack, the BILL sandbox and the deployed stack, driven from one process.
//!
//! [`LocalCloud::start`] starts MiniStack from `.venv`, starts a sandbox inside this process, runs
//! `sam deploy` with what `make build` has left, and stores the sandbox's credentials. Everything
//! ends when the [`LocalCloud`] is dropped, and when this process dies, however it dies. The binary
//! `local-cloud` (`make demo`, `make local`) and the end-to-end tests stand on it.

mod api;
mod cloud;
mod deployment;
mod events;
mod example;
mod fault_proxy;
mod leash;
mod logs;
mod mails;
mod ministack;
mod options;
mod queue;
mod report;
mod tables;
mod workspace;

pub use api::Api;
pub use cloud::{Invocation, LocalCloud};
pub use deployment::{Outputs, sam};
pub use example::ExampleProduct;
pub use fault_proxy::{Answer, Call, Fault, FaultProxy, Outcome};
pub use leash::ChildGuard;
pub use mails::SentEmail;
pub use options::{Options, Progress};
pub use queue::{Backlog, QueuedMessage};
pub use report::{Mismatch, Report};
pub use workspace::{bare_environment, python_package_file, tool, workspace_root};
