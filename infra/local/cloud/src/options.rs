//! Options of a local cloud.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc};

use jiff::Timestamp;

/// The region of the local cloud.
pub(crate) const REGION: &str = "us-east-1";

/// Receives a description of each step that a local cloud begins.
pub type ProgressCallback = Arc<dyn Fn(&str) + Send + Sync>;

/// How to start a local cloud. The default suits a test: 60 customers, schedules disabled,
/// credentials stored, no progress messages.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Options {
    /// Number of customers in the sandbox.
    pub organizations: usize,
    /// Seed of the generated customers. The same seed and clock generate the same customers.
    pub seed: u64,
    /// Whether the customers include rows that violate BILL's contract.
    pub bad_records: bool,
    /// The sandbox's time at the start, where the customers' generated history ends. `None` means
    /// the system time.
    pub clock: Option<Timestamp>,
    /// The stack's `BillRequestsPerHour`.
    pub bill_requests_per_hour: u32,
    /// Whether each function is restricted to its IAM role.
    pub enforce_roles: bool,
    /// Template parameters that override those of a local deployment.
    pub parameters: BTreeMap<String, String>,
    /// Whether to store the sandbox's credentials in the stack's secret.
    pub put_credentials: bool,
    /// The built template of another release to deploy. `None` means that of this one.
    pub template: Option<PathBuf>,
    /// MiniStack's port on 127.0.0.1; 0 selects a free port.
    pub port: u16,
    /// Whether the functions call AWS through a [`FaultProxy`](crate::FaultProxy). Tests and the
    /// SAM CLI always call MiniStack directly.
    pub fault_proxy: bool,
    /// An SMTP server to which MiniStack forwards every accepted e-mail as a MIME message. It must
    /// run as long as the local cloud.
    pub smtp: Option<SocketAddr>,
    /// Receives a description of each step.
    pub on_progress: ProgressCallback,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            organizations: 60,
            seed: 1,
            bad_records: false,
            clock: None,
            bill_requests_per_hour: 20_000,
            enforce_roles: false,
            parameters: BTreeMap::new(),
            put_credentials: true,
            template: None,
            port: 0,
            fault_proxy: false,
            smtp: None,
            on_progress: Arc::new(|_| {}),
        }
    }
}

impl Options {
    /// Sets one template parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.insert(name.to_owned(), value.to_owned());
        self
    }
}
