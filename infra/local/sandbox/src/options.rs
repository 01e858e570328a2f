//! The options that a sandbox starts with.

use jiff::Timestamp;

use crate::{credentials::Credentials, population::Population, switches::Switches};

/// How to start a sandbox. The default is 200 organizations on a free port at the system's time.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which customers the partner has.
    pub population: Population,
    /// The credentials that the partner signs in with.
    pub credentials: Credentials,
    /// The time at which the sandbox starts. The generated history ends at this time.
    pub clock: Timestamp,
    /// The port on 127.0.0.1. 0 selects a free port.
    pub port: u16,
    /// BILL behavior that its documentation leaves open.
    pub switches: Switches,
}

impl Default for Options {
    #[expect(
        clippy::disallowed_methods,
        reason = "without a given time the sandbox starts at the system's time"
    )]
    fn default() -> Self {
        Self {
            population: Population::default(),
            credentials: Credentials::default(),
            clock: Timestamp::now(),
            port: 0,
            switches: Switches::default(),
        }
    }
}
