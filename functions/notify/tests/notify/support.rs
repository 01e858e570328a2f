//! The function with tables of its own, and notices that are due.

use std::{collections::BTreeMap, io::sink, time::Duration};

use aws_config::SdkConfig;
use content::Content;
use engagement::{
    AddressHashKey, Decision, Name, Notice, Organization, PlannedNotice, Recipient, Stage,
    StageReason,
};
use jiff::{SignedDuration, Timestamp};
use local_cloud::{AwsCall, AwsFault, FaultProxy};
use notify::{Config, Notify, Summary};
use runtime::{Deadline, Failure, Invocation, Metrics, ScheduleEvent, clock};
use serde_json::Value;
use store::{TableNames, Tables, WriteOutcome};
use test_support::LocalAws;

/// Longer than a run takes.
pub const PLENTY_OF_TIME: Duration = Duration::from_mins(5);

const SENDER: &str = "engage@example.com";
const STAGE: Stage = Stage::Dormant30;

pub struct TestOutbox {
    pub proxy: FaultProxy,
    pub tables: Tables,
    pub names: TableNames,
    /// The time at which the notices are due.
    pub now: Timestamp,
    aws: LocalAws,
    content: Content,
    keys: String,
}

impl TestOutbox {
    /// An outbox without notices. Sending is not paused.
    pub async fn start() -> Self {
        let aws = LocalAws::connect();
        let endpoint = aws.config.endpoint_url().unwrap();
        let proxy = FaultProxy::start(endpoint.strip_prefix("http://").unwrap());
        let keys = format!(r#"{{"current":"k1","k1":"{}"}}"#, "1".repeat(32));
        let names = aws.create_tables().await;

        let outbox = Self {
            proxy: proxy.await.unwrap(),
            tables: Tables::new(store::client(&aws.config), names.clone()),
            now: clock::now(),
            keys: aws.create_secret("unsubscribe-keys", &keys).await,
            content: Content::embedded().unwrap(),
            names,
            aws,
        };
        outbox.pause("false").await;
        outbox.verify_sender().await;
        outbox
    }

    /// Verifies the sender, unless another test has done so.
    async fn verify_sender(&self) {
        let created = aws_sdk_sesv2::Client::new(&self.aws.config)
            .create_email_identity()
            .email_identity(SENDER)
            .send()
            .await;
        if let Err(error) = created {
            let error = error.into_service_error();
            assert!(error.is_already_exists_exception(), "{error:?}");
        }
    }

    /// Sets the parameter that pauses sending.
    pub async fn pause(&self, value: &str) {
        aws_sdk_ssm::Client::new(&self.aws.config)
            .put_parameter()
            .name(self.aws.name("pause"))
            .value(value)
            .r#type(aws_sdk_ssm::types::ParameterType::String)
            .overwrite(true)
            .send()
            .await
            .unwrap();
    }

    pub fn config(&self) -> Config {
        Config {
            tables: self.names.clone(),
            from_address: SENDER.parse().unwrap(),
            configuration_set: "engage".to_owned(),
            pause_parameter: self.aws.name("pause"),
            public_url: "https://engage.example".parse().unwrap(),
            unsubscribe_keys_secret: self.keys.clone(),
            daily_send_limit: 0,
            send_window: "always".parse().unwrap(),
            send_caps: "none".parse().unwrap(),
            holdout_percent: "0".parse().unwrap(),
            expire_after_due_hours: 72,
            expire_after_planned_days: 14,
            dry_run: false,
            environment: "local".to_owned(),
        }
    }

    /// The configuration with this daily limit.
    pub fn limited_to(&self, daily_send_limit: u32) -> Config {
        Config {
            daily_send_limit,
            ..self.config()
        }
    }

    /// A run of a new process, which must succeed.
    pub async fn run(&self) -> Summary {
        self.run_with(self.config(), PLENTY_OF_TIME).await.unwrap()
    }

    pub async fn run_with(&self, config: Config, time: Duration) -> Result<Summary, Failure> {
        let notify = Notify::new(config, &self.proxied_aws()).unwrap();
        let metrics = Metrics::to_writer("notify", "local", sink());
        let invocation = Invocation::new("run".to_owned(), Deadline::after(time), metrics);
        let event = ScheduleEvent {
            time: Some(self.now),
            all: false,
        };

        notify.run(&event, &invocation).await
    }

    fn proxied_aws(&self) -> SdkConfig {
        test_support::sdk_config(self.proxy.url())
    }

    /// Writes a due notice about a new organization to each address.
    pub async fn write(&self, addresses: &[impl AsRef<str>]) -> Vec<Notice> {
        let written = self.items(&self.names.organizations_table).await.len();
        let mut notices = Vec::new();
        for (number, address) in addresses.iter().enumerate() {
            let planned = self.planned(written + number, address.as_ref());
            let decision = Decision {
                organization: organization(&planned),
                transition: None,
                notices: vec![planned.clone()],
            };
            let written = self.tables.decisions().write(&decision, None, &key()).await;
            assert!(matches!(
                written,
                Ok(WriteOutcome::Written { notices: 1, .. })
            ));
            notices.push(Notice::from_planned(planned, &key()));
        }
        notices
    }

    fn planned(&self, number: usize, address: &str) -> PlannedNotice {
        let campaign = self.content.rules().campaigns.for_stage(STAGE).unwrap();
        let planned_at = self.now - SignedDuration::from_hours(1);

        PlannedNotice {
            organization_id: format!("00802KESTREL{number:08}").parse().unwrap(),
            organization_name: Some(Name::new("Kestrel Bakehouse")),
            campaign: campaign.id.clone(),
            step: campaign.steps[0].id.clone(),
            category: campaign.category,
            priority: campaign.priority,
            stage: STAGE,
            stage_reason: StageReason::LastPayment,
            stage_since: planned_at,
            since: planned_at,
            recipient: Recipient {
                user_id: "00602MARISOL".parse().unwrap(),
                first_name: Some(Name::new("Marisol")),
                address: address.parse().unwrap(),
            },
            planned_at,
            due_at: planned_at,
        }
    }

    /// The number of notices by `status` or `status:reason`, as the table has them.
    pub async fn statuses(&self) -> BTreeMap<String, usize> {
        let mut statuses = BTreeMap::new();
        for item in self.items(&self.names.notices_table).await {
            let status = item["status"].as_str().unwrap();
            let name = item["reason"]
                .as_str()
                .map_or_else(|| status.to_owned(), |reason| format!("{status}:{reason}"));
            *statuses.entry(name).or_default() += 1;
        }
        statuses
    }

    pub async fn items(&self, table: &str) -> Vec<Value> {
        self.aws.items(table).await
    }

    pub async fn put(&self, table: &str, item: Value) {
        self.aws.put_item(table, item).await;
    }

    /// The calls that ask SES to send.
    pub fn sends(&self) -> Vec<AwsCall> {
        self.proxy.calls_to("ses.SendEmail")
    }

    /// The e-mails that SES accepted.
    pub fn accepted(&self) -> usize {
        let is_accepted = |call: &AwsCall| {
            let response = call.aws_response.as_ref();
            response.is_some_and(|response| response.status == 200)
        };
        self.sends().into_iter().filter(is_accepted).count()
    }

    /// From now on, every call to this operation fails in this way.
    pub fn fail_calls(&self, operation: &'static str, fault: AwsFault) {
        self.proxy.set_fault_plan(move |call| {
            if call.operation == operation {
                fault.clone()
            } else {
                AwsFault::PassThrough
            }
        });
    }

    /// From now on, `fault` decides about each call that asks SES to send.
    pub fn fail_sends(&self, mut fault: impl FnMut(&AwsCall) -> AwsFault + Send + 'static) {
        self.proxy.set_fault_plan(move |call| {
            if call.operation == "ses.SendEmail" {
                fault(call)
            } else {
                AwsFault::PassThrough
            }
        });
    }
}

/// This number of different addresses.
pub fn addresses(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("person-{number}@kestrel.example"))
        .collect()
}

pub fn counts(expected: &[(&str, usize)]) -> BTreeMap<String, usize> {
    expected
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

fn key() -> AddressHashKey {
    AddressHashKey::new("a key for tests".to_owned().into())
}

/// The organization that a notice is about, in the stage of the notice.
fn organization(notice: &PlannedNotice) -> Organization {
    Organization {
        organization_id: notice.organization_id.clone(),
        name: notice.organization_name.clone(),
        stage: notice.stage,
        stage_reason: notice.stage_reason,
        stage_since: notice.stage_since,
        checked_at: notice.planned_at,
        next_check_at: notice.planned_at + SignedDuration::from_hours(24),
        created_at: None,
        bank_accounts: 1,
        verified_bank_accounts: 1,
        last_payment_at: None,
        payments_30d: 0,
        payments_90d: 1,
        amount_30d: "0".parse().unwrap(),
        users: 1,
        users_read_at: None,
        banks_read_at: None,
        contacts: vec![notice.recipient.user_id.clone()],
        steps: BTreeMap::new(),
        archived: false,
        listed_at: None,
        loss_seen_at: None,
        version: 1,
    }
}
