//! The kill switch: an SSM parameter, read at most once a minute.

use std::time::Duration;

use aws_sdk_ssm::{Client, error::ProvideErrorMetadata};
use runtime::{ErrorType, Failure};
use tokio::{sync::Mutex, time::Instant};

/// How long an answer is believed: a pause is effective within a minute.
const LIFETIME: Duration = Duration::from_secs(55);

/// Tells whether sending is paused.
#[derive(Debug)]
pub struct PauseSwitch {
    client: Client,
    parameter: String,
    known: Mutex<Option<(Instant, bool)>>,
}

impl PauseSwitch {
    /// A switch in the parameter of this name, whose value is `true` or `false`.
    pub fn new(client: Client, parameter: String) -> Self {
        Self {
            client,
            parameter,
            known: Mutex::new(None),
        }
    }

    /// Whether sending is paused. An `Err` means that nobody knows: nothing may be sent.
    pub async fn is_on(&self) -> Result<bool, Failure> {
        let mut known = self.known.lock().await;
        if let Some((read_at, paused)) = *known
            && read_at.elapsed() < LIFETIME
        {
            return Ok(paused);
        }
        let answer = self
            .client
            .get_parameter()
            .name(&self.parameter)
            .send()
            .await
            .map_err(|error| self.unreadable(error.code().unwrap_or("no answer")))?;
        let value = answer
            .parameter()
            .and_then(|parameter| parameter.value())
            .unwrap_or_default();
        let paused = match value.trim().to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            _ => return Err(self.unreadable("its value is neither true nor false")),
        };
        *known = Some((Instant::now(), paused));
        Ok(paused)
    }

    fn unreadable(&self, reason: &str) -> Failure {
        Failure::new(
            ErrorType::ParameterUnreadable,
            format!(
                "the pause switch {} could not be read ({reason}); nothing is sent",
                self.parameter
            ),
        )
    }
}
