//! Configuration of the function.

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
    /// `FROM_ADDRESS`: an address or domain that SES has verified, with or without a display name.
    pub from_address: String,
    /// `CONFIGURATION_SET`: name of SES's configuration set.
    pub configuration_set: String,
    /// `PAUSE_PARAMETER`: name of the SSM parameter that pauses sending.
    pub pause_parameter: String,
    /// `UNSUBSCRIBE_URL`: what addresses to unsubscribe at begin with, `/` at its end.
    pub unsubscribe_url: Url,
    /// `DRY_RUN`: decide, and send nothing.
    pub dry_run: bool,
    /// `ENVIRONMENT`: local, sandbox or production.
    pub environment: String,
}

impl Config {
    /// Reads the environment; an `Err` names every variable that is missing or invalid.
    pub fn read(mut environment: Environment) -> Result<Self, ConfigError> {
        let organizations_table = environment.required("ORGANIZATIONS_TABLE");
        let notices_table = environment.required("NOTICES_TABLE");
        let contacts_table = environment.required("CONTACTS_TABLE");
        let from_address = environment.required("FROM_ADDRESS");
        let configuration_set = environment.required("CONFIGURATION_SET");
        let pause_parameter = environment.required("PAUSE_PARAMETER");
        let unsubscribe_url = environment.required("UNSUBSCRIBE_URL");
        let dry_run = environment.optional("DRY_RUN", false);
        let name = environment.required("ENVIRONMENT");
        environment.build(|| {
            Some(Self {
                organizations_table: organizations_table?,
                notices_table: notices_table?,
                contacts_table: contacts_table?,
                from_address: from_address?,
                configuration_set: configuration_set?,
                pause_parameter: pause_parameter?,
                unsubscribe_url: unsubscribe_url?,
                dry_run: dry_run?,
                environment: name?,
            })
        })
    }
}
