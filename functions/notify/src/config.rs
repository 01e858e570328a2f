//! The configuration of the function, read from environment variables.

use engagement::{EmailAddress, Expiry, FrequencyCaps, Holdout, SendPolicy, SendWindow};
use jiff::SignedDuration;
use store::TableNames;
use url::Url;

environment::config! {
    /// The configuration of the function.
    pub struct Config {
        /// The names of the tables.
        pub tables: TableNames as group,
        /// An address without a display name that SES has verified, or whose domain SES has
        /// verified.
        pub from_address: EmailAddress,
        /// Name of the SES configuration set.
        pub configuration_set: String,
        /// Name of the SSM parameter that pauses sending.
        pub pause_parameter: String,
        /// Public URL of the stack's HTTP API, the base of the unsubscribe links.
        pub public_url: Url,
        /// ARN of the secret with the keys of the unsubscribe tokens.
        pub unsubscribe_keys_secret: String,
        /// E-mails of the whole system per day; 0 is no limit.
        pub daily_send_limit: u32 = 0,
        /// When e-mails may be sent.
        pub send_window: SendWindow = SendWindow::Always,
        /// Maximum number of e-mails per address and time.
        pub send_caps: FrequencyCaps = FrequencyCaps::default(),
        /// Percentage of organizations in the control group.
        pub holdout_percent: Holdout = Holdout::default(),
        /// Hours after its due time at which an unsent notice expires.
        pub expire_after_due_hours: u16 = 72,
        /// Days after it was planned at which an unsent notice expires.
        pub expire_after_planned_days: u16 = 14,
        /// Whether decisions are recorded and nothing is sent.
        pub dry_run: bool = false,
        /// `local`, `sandbox` or `production`. A dimension of the metrics.
        pub environment: String,
    }
}

impl Config {
    /// The partner's sending policy.
    pub(crate) fn send_policy(&self) -> SendPolicy {
        let expiry = Expiry {
            after_due: SignedDuration::from_hours(i64::from(self.expire_after_due_hours)),
            after_planned: SignedDuration::from_hours(
                24 * i64::from(self.expire_after_planned_days),
            ),
        };

        SendPolicy {
            expiry,
            caps: self.send_caps.clone(),
            window: self.send_window.clone(),
            holdout: self.holdout_percent,
            dry_run: self.dry_run,
        }
    }
}

#[cfg(test)]
mod tests {
    use environment::{EnvironmentReader, FromEnvironment};

    use super::*;

    const REQUIRED: [(&str, &str); 11] = [
        ("ORGANIZATIONS_TABLE", "organizations"),
        ("TRANSITIONS_TABLE", "transitions"),
        ("NOTICES_TABLE", "notices"),
        ("CONTACTS_TABLE", "contacts"),
        ("RUNS_TABLE", "runs"),
        ("FROM_ADDRESS", "engage@example.com"),
        ("CONFIGURATION_SET", "set"),
        ("PAUSE_PARAMETER", "/stack/pause"),
        ("PUBLIC_URL", "https://api.example.com"),
        ("UNSUBSCRIBE_KEYS_SECRET", "arn"),
        ("ENVIRONMENT", "local"),
    ];

    #[test]
    fn unset_variables_take_their_defaults() {
        let config = Config::from_variables(EnvironmentReader::from_pairs(REQUIRED)).unwrap();

        let policy = SendPolicy {
            expiry: Expiry::default(),
            caps: FrequencyCaps::default(),
            window: SendWindow::Always,
            holdout: Holdout::default(),
            dry_run: false,
        };
        assert_eq!((config.send_policy(), config.daily_send_limit), (policy, 0));
    }

    #[test]
    fn all_invalid_settings_are_reported_together() {
        let wrong = [
            ("FROM_ADDRESS", "Engage <engage@example.com>"),
            ("SEND_WINDOW", "Mon-Fri 9-5"),
            ("SEND_CAPS", "1 per day"),
            ("HOLDOUT_PERCENT", "101"),
            ("DAILY_SEND_LIMIT", "-1"),
            ("DRY_RUN", "perhaps"),
        ];
        let variables = EnvironmentReader::from_pairs(REQUIRED.into_iter().chain(wrong));
        let error = Config::from_variables(variables).unwrap_err().to_string();

        for (name, _) in wrong {
            assert!(error.contains(name), "{name}: {error}");
        }
    }
}
