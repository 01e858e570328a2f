//! What a sync costs, as DynamoDB counts it.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{
            AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
        },
    },
    error::BoxError,
    operation::{
        put_item::{PutItemInput, PutItemOutput},
        transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput},
    },
    types::{ConsumedCapacity, ReturnConsumedCapacity},
};
use engagement::Organization;
use store::WriteOutcome;

use crate::{
    fixtures::{SYNCED_AT, at, decision, key, row, write_decision, written},
    tables::Tables,
};

const LATER: &str = "2026-11-23T07:00:00Z";

#[tokio::test]
async fn an_unchanged_sync_costs_at_most_four_write_units() {
    let tables = &Tables::create().await;
    let first = decision(1, 1, SYNCED_AT, &[]);
    write_decision(tables, &first, None).await;

    let mut unchanged = decision(1, 2, LATER, &[]);
    unchanged.transition = None;
    unchanged.organization.stage_since = first.organization.stage_since;
    unchanged.organization.next_check_at = at("2026-11-24T07:00:00Z");
    let (outcome, put) = write_counted(tables, &unchanged, &first.organization).await;
    assert_eq!(outcome, written(0, 0));

    let mut changed = decision(1, 3, "2026-11-23T08:00:00Z", &[]);
    changed.organization.next_check_at = at("2026-11-24T08:00:00Z");
    let (outcome, transaction) = write_counted(tables, &changed, &unchanged.organization).await;
    assert_eq!(outcome, written(0, 0));

    println!("write units: unchanged sync {put}, sync with a transition {transaction}");
    assert!(put <= 4.0, "{put}");
    assert!(put > 0.0 && put < transaction, "{put} {transaction}");
}

/// Writes a decision, and returns the write units that DynamoDB reports.
async fn write_counted(
    tables: &Tables,
    decision: &engagement::Decision,
    previous: &Organization,
) -> (WriteOutcome, f64) {
    let counter = WriteUnits::default();
    let config = tables
        .client
        .config()
        .to_builder()
        .interceptor(counter.clone());
    let writer = tables
        .with_client(Client::from_conf(config.build()))
        .decisions();

    let outcome = writer
        .write(decision, Some(&row(previous)), &key())
        .await
        .unwrap();
    let units = *counter.0.lock().unwrap();
    (outcome, units)
}

/// Asks DynamoDB for the consumed capacity of each write, and adds it up.
#[derive(Debug, Clone, Default)]
struct WriteUnits(Arc<Mutex<f64>>);

impl Intercept for WriteUnits {
    fn name(&self) -> &'static str {
        "WriteUnits"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        if let Some(put) = input.downcast_mut::<PutItemInput>() {
            put.return_consumed_capacity = Some(ReturnConsumedCapacity::Indexes);
        } else if let Some(transaction) = input.downcast_mut::<TransactWriteItemsInput>() {
            transaction.return_consumed_capacity = Some(ReturnConsumedCapacity::Indexes);
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else {
            return Ok(());
        };
        let consumed = if let Some(put) = output.downcast_ref::<PutItemOutput>() {
            put.consumed_capacity().into_iter().cloned().collect()
        } else if let Some(transaction) = output.downcast_ref::<TransactWriteItemsOutput>() {
            transaction.consumed_capacity().to_vec()
        } else {
            Vec::new()
        };
        let units = consumed.iter().filter_map(ConsumedCapacity::capacity_units);
        *self.0.lock().unwrap() += units.sum::<f64>();
        Ok(())
    }
}
