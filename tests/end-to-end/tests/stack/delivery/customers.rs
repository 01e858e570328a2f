//! Customers with notices that are due, written the way sync-organization writes them.

use anyhow::{Context, Result, ensure};
use content::Content;
use engagement::{
    AddressKey, BankAccount, BankStatus, EmailAddress, Name, Notice, OrganizationId, Payment, PaymentHistory, Role, Signals, User, decide,
};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use local_cloud::LocalCloud;
use store::{Applied, CheckTables, Checks};

/// An organization with one administrator.
#[derive(Clone)]
pub struct Customer {
    pub id: OrganizationId,
    pub address: EmailAddress,
    /// `None`: has never paid, which is a matter of `onboarding`; otherwise `reengagement`.
    pub last_payment: Option<SignedDuration>,
}

impl Customer {
    /// Customer number `number`, who has never paid.
    pub fn new(number: usize, address: &str) -> Result<Self> {
        Ok(Self { id: format!("00802CROWD{number:010}").parse()?, address: address.parse()?, last_payment: None })
    }

    fn signals(&self, as_of: Timestamp) -> Result<Signals> {
        let mut payments = PaymentHistory::default();
        if let Some(age) = self.last_payment {
            payments.add_page(&[Payment { created_at: Some(as_of - age), ..Payment::default() }], as_of);
        }
        let administrator = User {
            id: format!("00602CROWD{}", self.id.as_str().trim_start_matches("00802CROWD")).parse()?,
            archived: false,
            first_name: Some(Name::new("Marisol")),
            email: Some(self.address.clone()),
            role: Some(Role::Administrator),
            created_at: None,
        };
        Ok(Signals {
            name: Some(Name::new("Kestrel Bakehouse")),
            users: vec![administrator],
            banks: vec![BankAccount { archived: false, status: BankStatus::Verified, updated_at: None }],
            payments,
            ..Signals::default()
        })
    }
}

/// Writes a first check of each customer. Each then has one notice that is due at `as_of`; returned in the order of the customers.
pub async fn write(cloud: &LocalCloud, customers: &[Customer], as_of: Timestamp) -> Result<Vec<Notice>> {
    let content = Content::embedded()?;
    let secret = cloud.secrets().get_secret_value().secret_id(cloud.output("AddressKeySecret")?).send().await?;
    let key = AddressKey::new(secret.secret_string().context("the address key is no text")?.to_owned().into());
    let checks = Checks::new(
        cloud.dynamodb().clone(),
        CheckTables {
            organizations: cloud.output("OrganizationsTable")?.to_owned(),
            transitions: cloud.output("TransitionsTable")?.to_owned(),
            notices: cloud.output("NoticesTable")?.to_owned(),
        },
    );
    let (checks, key, rules) = (&checks, &key, content.rules());
    stream::iter(customers)
        .map(async |customer| {
            let decision = decide(&customer.id, None, &customer.signals(as_of)?, rules, as_of);
            let applied = checks.apply(&decision, None, key).await?;
            ensure!(applied == Applied::Written { notices: 1, notices_existing: 0 }, "{}: {applied:?}", customer.id);
            let planned = decision.notices.into_iter().next().context("no notice was planned")?;
            Ok(Notice::due(planned, key))
        })
        .buffered(16)
        .try_collect()
        .await
}
