//! Opens each of the tables of a stack.

use aws_sdk_dynamodb::Client;

use crate::{
    contacts::Contacts,
    decisions::DecisionWriter,
    notices::{Dismissals, Notices},
    organizations::Organizations,
    runs::{DailyQuota, HourlyBudget, HourlyLimits, RunLog, RunsTable, StatisticsLog, SweepStates},
    table_names::TableNames,
};

/// The tables of a stack. Opening one sends no request.
#[derive(Debug, Clone)]
pub struct Tables {
    client: Client,
    names: TableNames,
}

impl Tables {
    /// The tables of those names.
    pub fn new(client: Client, names: TableNames) -> Self {
        Self { client, names }
    }

    /// The records of the organizations.
    pub fn organizations(&self) -> Organizations {
        Organizations::new(self.client.clone(), self.names.organizations_table.clone())
    }

    /// Writes the results of syncs.
    pub fn decisions(&self) -> DecisionWriter {
        DecisionWriter::new(self.client.clone(), self.names.clone())
    }

    /// The notices.
    pub fn notices(&self) -> Notices {
        Notices::new(
            self.client.clone(),
            self.names.notices_table.clone(),
            self.names.contacts_table.clone(),
        )
    }

    /// The dismissals of in-product messages.
    pub fn dismissals(&self) -> Dismissals {
        Dismissals::new(self.client.clone(), self.names.notices_table.clone())
    }

    /// The contacts.
    pub fn contacts(&self) -> Contacts {
        Contacts::new(self.client.clone(), self.names.contacts_table.clone())
    }

    /// The hourly budget of BILL requests.
    pub fn hourly_budget(&self, limits: HourlyLimits) -> HourlyBudget {
        HourlyBudget::new(self.runs(), limits)
    }

    /// The number of e-mails per day.
    pub fn daily_quota(&self) -> DailyQuota {
        DailyQuota::new(self.runs())
    }

    /// What one run of fan-out leaves to the next.
    pub fn sweep_states(&self) -> SweepStates {
        SweepStates::new(self.runs())
    }

    /// The organizations of each day by stage and reason.
    pub fn statistics(&self) -> StatisticsLog {
        StatisticsLog::new(self.runs())
    }

    /// The records of fan-out runs.
    pub fn run_log(&self) -> RunLog {
        RunLog::new(self.runs())
    }

    fn runs(&self) -> RunsTable {
        RunsTable {
            client: self.client.clone(),
            name: self.names.runs_table.clone(),
        }
    }
}
