//! Records bounces and complaints of an address.
//!
//! SES sends events more than once and in any order. Each method is one conditional update that is
//! refused when the event is already recorded, so that repeated and concurrent calls have the same
//! result as one. The methods create the item of an unknown address.

use aws_sdk_dynamodb::types::AttributeValue;
use engagement::{AddressHash, EventStamp};
use jiff::Timestamp;

use super::{item::key, table::Contacts};
use crate::{
    dynamodb::{
        attribute::{number, timestamp},
        update::{ConditionalUpdate, UpdateOutcome},
    },
    error::StoreError,
    schema::SCHEMA_VERSION,
};

impl Contacts {
    /// Records a hard bounce: a mail server rejected the address permanently at `at`. `false` when
    /// the same or an earlier time is already recorded.
    pub async fn record_hard_bounce(
        &self,
        address: &AddressHash,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.record_once(
            address,
            "SET #hard_bounced_at = :at, #schema_version = :schema_version ADD #version :one",
            "attribute_not_exists(#hard_bounced_at) OR #hard_bounced_at > :at",
            vec![(":at", timestamp(at))],
        )
        .await
    }

    /// Records a complaint: the recipient reported an e-mail as spam at `at`. `false` when the same
    /// or an earlier time is already recorded.
    pub async fn record_complaint(
        &self,
        address: &AddressHash,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.record_once(
            address,
            "SET #complained_at = :at, #schema_version = :schema_version ADD #version :one",
            "attribute_not_exists(#complained_at) OR #complained_at > :at",
            vec![(":at", timestamp(at))],
        )
        .await
    }

    /// Records a soft bounce: a mail server rejected the address at `at`, possibly only for a time.
    /// `id` is SES's id of the bounce, not empty. `false` when this bounce is already recorded.
    pub async fn record_soft_bounce(
        &self,
        address: &AddressHash,
        at: Timestamp,
        id: &str,
    ) -> Result<bool, StoreError> {
        let stamp = EventStamp::new(at, id).to_string();

        self.record_once(
            address,
            "SET #schema_version = :schema_version ADD #soft_bounces :stamps, #version :one",
            "attribute_not_exists(#soft_bounces) OR NOT contains(#soft_bounces, :stamp)",
            vec![
                (":stamps", AttributeValue::Ss(vec![stamp.clone()])),
                (":stamp", AttributeValue::S(stamp)),
            ],
        )
        .await
    }

    /// Whether the update was written, which is whether its condition held.
    async fn record_once(
        &self,
        address: &AddressHash,
        update: &str,
        condition: &str,
        mut values: Vec<(&'static str, AttributeValue)>,
    ) -> Result<bool, StoreError> {
        values.push((":schema_version", number(SCHEMA_VERSION)));
        values.push((":one", number(1)));
        let update = ConditionalUpdate {
            table: &self.table,
            key: key(address),
            update,
            condition: Some(condition),
            values,
        };

        Ok(update.write(&self.client).await? == UpdateOutcome::Applied)
    }
}
