//! The configuration of the function: environment variables, read once at start.

use engagement::{EmailAddress, Expiry, FrequencyCaps, Holdout, SendPolicy, SendWindow};
use jiff::SignedDuration;
use runtime::{ConfigError, Environment};
use url::Url;

/// What the function reads from its environment.
#[derive(Debug)]
pub struct Config {
    /// `ORGANIZATIONS_TABLE`.
    pub organizations_table: String,
    /// `NOTICES_TABLE`.
    pub notices_table: String,
    /// `CONTACTS_TABLE`.
    pub contacts_table: String,
    /// `RUNS_TABLE`.
    pub runs_table: String,
    /// `FROM_ADDRESS`: an address without a display name that SES has verified, or whose domain SES
    /// has verified.
    pub from_address: EmailAddress,
    /// `CONFIGURATION_SET`: name of the SES configuration set.
    pub configuration_set: String,
    /// `PAUSE_PARAMETER`: name of the SSM parameter that pauses sending.
    pub pause_parameter: String,
    /// `PUBLIC_URL`: public URL of the stack's HTTP API, the base of the unsubscribe links.
    pub public_url: Url,
    /// `UNSUBSCRIBE_KEYS_SECRET`: ARN of the secret with the keys of the unsubscribe tokens.
    pub unsubscribe_keys_secret: String,
    /// `DAILY_SEND_LIMIT`: e-mails of the whole system per day; 0 is no limit.
    pub daily_send_limit: u32,
    /// `SEND_WINDOW`, `SEND_CAPS`, `HOLDOUT_PERCENT`, `EXPIRE_AFTER_DUE_HOURS`,
    /// `EXPIRE_AFTER_PLANNED_DAYS`, `DRY_RUN`.
    pub policy: SendPolicy,
    /// `ENVIRONMENT`: `local`, `sandbox` or `production`.
    pub environment: String,
}

impl Config {
    /// Reads the environment. An `Err` names every variable that is missing or invalid.
    pub fn read(mut environment: Environment) -> Result<Self, ConfigError> {
        let organizations_table = environment.required("ORGANIZATIONS_TABLE");
        let notices_table = environment.required("NOTICES_TABLE");
        let contacts_table = environment.required("CONTACTS_TABLE");
        let runs_table = environment.required("RUNS_TABLE");
        let from_address = environment.required("FROM_ADDRESS");
        let configuration_set = environment.required("CONFIGURATION_SET");
        let pause_parameter = environment.required("PAUSE_PARAMETER");
        let public_url = environment.required("PUBLIC_URL");
        let unsubscribe_keys_secret = environment.required("UNSUBSCRIBE_KEYS_SECRET");
        let daily_send_limit = environment.optional("DAILY_SEND_LIMIT", 0);
        let policy = policy(&mut environment);
        let name = environment.required("ENVIRONMENT");

        environment.build(|| {
            Some(Self {
                organizations_table: organizations_table?,
                notices_table: notices_table?,
                contacts_table: contacts_table?,
                runs_table: runs_table?,
                from_address: from_address?,
                configuration_set: configuration_set?,
                pause_parameter: pause_parameter?,
                public_url: public_url?,
                unsubscribe_keys_secret: unsubscribe_keys_secret?,
                daily_send_limit: daily_send_limit?,
                policy: policy?,
                environment: name?,
            })
        })
    }
}

fn policy(environment: &mut Environment) -> Option<SendPolicy> {
    let window = environment.optional("SEND_WINDOW", SendWindow::Always);
    let caps = environment.optional("SEND_CAPS", FrequencyCaps::default());
    let holdout = environment.optional("HOLDOUT_PERCENT", Holdout::default());
    let after_due = environment.optional("EXPIRE_AFTER_DUE_HOURS", 72_u16);
    let after_planned = environment.optional("EXPIRE_AFTER_PLANNED_DAYS", 14_u16);
    let dry_run = environment.optional("DRY_RUN", false);

    let expiry = Expiry {
        after_due: SignedDuration::from_hours(i64::from(after_due?)),
        after_planned: SignedDuration::from_hours(24 * i64::from(after_planned?)),
    };
    Some(SendPolicy {
        expiry,
        caps: caps?,
        window: window?,
        holdout: holdout?,
        dry_run: dry_run?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIRED: [(&str, &str); 10] = [
        ("ORGANIZATIONS_TABLE", "organizations"),
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
        let config = Config::read(Environment::from_pairs(REQUIRED)).unwrap();

        let policy = SendPolicy {
            expiry: Expiry::default(),
            caps: FrequencyCaps::default(),
            window: SendWindow::Always,
            holdout: Holdout::default(),
            dry_run: false,
        };
        assert_eq!((config.policy, config.daily_send_limit), (policy, 0));
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
        let error = Config::read(Environment::from_pairs(REQUIRED.into_iter().chain(wrong)))
            .unwrap_err()
            .to_string();

        for (name, _) in wrong {
            assert!(error.contains(name), "{name}: {error}");
        }
    }
}
