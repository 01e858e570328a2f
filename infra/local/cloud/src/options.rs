//! How a local cloud is started.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use jiff::Timestamp;

/// Told in plain words what a local cloud is doing.
pub type Progress = Arc<dyn Fn(&str) + Send + Sync>;

/// What the local cloud consists of. The default suits a test: 60 customers, no schedules,
/// credentials stored, silent.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches that have nothing to do with one another"
)]
pub struct Options {
    /// Customers in the sandbox.
    pub organizations: usize,
    /// The same seed and clock make the same customers.
    pub seed: u64,
    /// Whether rows that break BILL's contract are among the customers.
    pub bad_records: bool,
    /// The sandbox's time at the start, to which the customers' history leads up; none takes the
    /// system's.
    pub clock: Option<Timestamp>,
    /// What the sweep may spend in a clock hour.
    pub bill_requests_per_hour: u32,
    /// Whether each function may call only what its role allows.
    pub auth: bool,
    /// Parameters of the template that differ from those of a local deployment.
    pub parameters: BTreeMap<String, String>,
    /// Whether the sandbox's credentials are put into the stack's secret.
    pub put_credentials: bool,
    /// MiniStack's port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Whether the functions reach AWS through a [`FaultProxy`](crate::FaultProxy); tests and SAM
    /// do not.
    pub fault_proxy: bool,
    /// An SMTP server that gets every accepted e-mail as a whole message; it has to live as long as
    /// the local cloud.
    pub smtp: Option<SocketAddr>,
    /// Told what is being done.
    pub progress: Progress,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            organizations: 60,
            seed: 1,
            bad_records: false,
            clock: None,
            bill_requests_per_hour: 20_000,
            auth: false,
            parameters: BTreeMap::new(),
            put_credentials: true,
            port: 0,
            fault_proxy: false,
            smtp: None,
            progress: Arc::new(|_| {}),
        }
    }
}

impl Options {
    /// Sets one parameter of the template.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.insert(name.to_owned(), value.to_owned());
        self
    }
}
