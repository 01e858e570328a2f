//! The parameter that pauses sending. It is read from SSM at most once a minute.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ssm::{Client, error::ProvideErrorMetadata};
use runtime::{ErrorType, Failure};
use tokio::{sync::Mutex, time::Instant};

/// How long the value is cached. A pause takes effect within a minute.
const CACHE_TTL: Duration = Duration::from_secs(55);

/// Reads and caches whether sending is paused.
#[derive(Debug)]
pub struct PauseSwitch {
    client: Client,
    parameter: String,
    cached: Mutex<Option<(Instant, bool)>>,
}

impl PauseSwitch {
    /// A switch in the SSM parameter of this name, whose value is `true` (paused) or `false`.
    pub fn new(aws: &SdkConfig, parameter: String) -> Self {
        Self {
            client: Client::new(aws),
            parameter,
            cached: Mutex::new(None),
        }
    }

    /// Whether sending is paused. An `Err` means that the parameter could not be read: send
    /// nothing.
    pub(crate) async fn is_on(&self) -> Result<bool, Failure> {
        let mut cached = self.cached.lock().await;
        if let Some((read_at, paused)) = *cached
            && read_at.elapsed() < CACHE_TTL
        {
            return Ok(paused);
        }

        let paused = self.read().await?;
        *cached = Some((Instant::now(), paused));
        Ok(paused)
    }

    async fn read(&self) -> Result<bool, Failure> {
        let response = self
            .client
            .get_parameter()
            .name(&self.parameter)
            .send()
            .await
            .map_err(|error| self.unreadable(error.code().unwrap_or("no response")))?;

        let value = response
            .parameter()
            .and_then(|parameter| parameter.value())
            .unwrap_or_default();
        match value.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.unreadable("its value is neither true nor false")),
        }
    }

    fn unreadable(&self, reason: &str) -> Failure {
        Failure::new(
            ErrorType::ParameterUnreadable,
            format!(
                "the pause parameter {} could not be read ({reason}); nothing is sent",
                self.parameter
            ),
        )
    }
}
