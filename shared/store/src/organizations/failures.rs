//! Records that a sync failed.

use engagement::{OrganizationId, check_bucket};
use jiff::Timestamp;

use super::{item::key, table::Organizations};
use crate::{
    dynamodb::{
        attribute::{NOT_NEWER, number, text, timestamp},
        update::ConditionalUpdate,
    },
    error::StoreError,
    schema::SCHEMA_VERSION,
};

impl Organizations {
    /// Records a failed sync and the time of the next one, beside the existing attributes of the
    /// organization. `at` is the start of the sync.
    ///
    /// A failure is ignored when it is older than the last successful sync or the last failure. It
    /// is also ignored when the organization became due, or was made due, between `at` and `now`:
    /// the organization stays due. An item that a newer release wrote is left as it is.
    ///
    /// A second call writes the same values again. If the process stops before this write, the
    /// organization stays due.
    pub async fn record_failure(
        &self,
        id: &OrganizationId,
        error_type: &str,
        at: Timestamp,
        next_check_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let condition = format!(
            "(attribute_not_exists(#checked_at) OR #checked_at < :at) AND {NOT_NEWER} \
             AND (attribute_not_exists(#sync_failed_at) OR #sync_failed_at <= :at) \
             AND (attribute_not_exists(#next_check_at) \
             OR #next_check_at <= :at OR #next_check_at > :now)"
        );
        let update = ConditionalUpdate {
            table: &self.table,
            key: key(id),
            update: "SET #sync_error = :sync_error, #sync_failed_at = :at, \
                     #next_check_at = :next_check_at, #check_bucket = :check_bucket, \
                     #schema_version = :schema_version",
            condition: Some(&condition),
            values: vec![
                (":sync_error", text(error_type)),
                (":at", timestamp(at)),
                (":now", timestamp(now)),
                (":next_check_at", timestamp(next_check_at)),
                (":check_bucket", number(check_bucket(id))),
                (":schema_version", number(SCHEMA_VERSION)),
            ],
        };

        update.write(&self.client).await.map(drop)
    }
}
