//! Current stages of many organizations.

use std::collections::HashMap;

use engagement::{CurrentStage, OrganizationId, Stage};
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    item::{id_of, keys},
    table::Organizations,
};
use crate::{
    dynamodb::{
        attribute::{Item, from_item},
        batch_get::{ReadOptions, batch_get},
    },
    error::StoreError,
};

impl Organizations {
    /// The current stage of each organization. Unknown organizations are left out. An organization
    /// whose item cannot be read is `None`, and is logged.
    ///
    /// The read is strongly consistent. Read-only: safe to repeat.
    pub async fn current_stages(
        &self,
        ids: impl IntoIterator<Item = OrganizationId>,
    ) -> Result<HashMap<OrganizationId, Option<CurrentStage>>, StoreError> {
        let options = ReadOptions {
            attributes: Some("#organization_id, #stage, #stage_since"),
            consistent: true,
        };
        let items = batch_get(&self.client, &self.table, keys(ids), options).await?;

        Ok(items.into_iter().filter_map(current_stage).collect())
    }
}

#[derive(Deserialize)]
struct StageAttributes {
    stage: Stage,
    stage_since: Timestamp,
}

fn current_stage(item: Item) -> Option<(OrganizationId, Option<CurrentStage>)> {
    let id = id_of(&item)?;
    if !item.contains_key("stage") {
        return None;
    }

    let Some(StageAttributes { stage, stage_since }) = from_item(item) else {
        tracing::warn!(organization_id = %id, "the organization's stage cannot be read");
        return Some((id, None));
    };
    let current_stage = CurrentStage {
        stage,
        since: stage_since,
    };
    Some((id, Some(current_stage)))
}
