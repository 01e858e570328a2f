//! The row of an organization that was listed and never synced.

use aws_sdk_dynamodb::types::{AttributeValue, Put};
use engagement::{ListedOrganization, check_bucket};
use jiff::Timestamp;

use super::{item::key, table::Organizations};
use crate::{
    dynamodb::{
        attribute::{Item, NOT_NEWER, number, text, timestamp},
        put::{build_put, put_item, with_condition},
        update::ConditionalUpdate,
    },
    error::StoreError,
    schema::SCHEMA_VERSION,
};

impl Organizations {
    /// Puts the row of an organization that BILL lists: it is due at `listed_at` and has no stage
    /// yet. `false` when there is an item of this organization already, which is left as it is.
    ///
    /// Safe to repeat. If the process stops before this write, the next run lists the organization
    /// again.
    pub async fn put_listing_row(
        &self,
        organization: &ListedOrganization,
        listed_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let put = Put::builder().set_item(Some(listing_row(organization, listed_at)));
        let put = with_condition(put, "attribute_not_exists(#organization_id)");

        put_item(&self.client, build_put(&self.table, put)?).await
    }
}

impl Organizations {
    /// Describes an organization that has no item, or one without a listing: puts its row, or adds
    /// the listing to the failure that the item holds. An item with a listing is left as it is.
    ///
    /// Safe to repeat.
    pub async fn describe(
        &self,
        organization: &ListedOrganization,
        listed_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut row = listing_row(organization, listed_at);
        row.remove("organization_id");
        row.remove("next_check_at");
        let assignments: Vec<String> = row
            .keys()
            .map(|name| format!("#{name} = :{name}"))
            .collect();
        let update = format!(
            "SET {}, #next_check_at = if_not_exists(#next_check_at, :listed_at)",
            assignments.join(", ")
        );
        let placeholder = |name: &str| match name {
            "archived" => ":archived",
            "listed_at" => ":listed_at",
            "check_bucket" => ":check_bucket",
            "schema_version" => ":schema_version",
            "name" => ":name",
            _ => ":created_at",
        };
        let condition = format!("attribute_not_exists(#archived) AND {NOT_NEWER}");
        let update = ConditionalUpdate {
            table: &self.table,
            key: key(&organization.id),
            update: &update,
            condition: Some(&condition),
            values: row
                .into_iter()
                .map(|(name, value)| (placeholder(&name), value))
                .collect(),
        };

        update.write(&self.client).await.map(drop)
    }
}

fn listing_row(organization: &ListedOrganization, listed_at: Timestamp) -> Item {
    let ListedOrganization {
        id,
        name,
        archived,
        created_at,
    } = organization;
    let mut row = key(id);
    row.extend([
        ("archived".to_owned(), AttributeValue::Bool(*archived)),
        ("listed_at".to_owned(), timestamp(listed_at)),
        ("next_check_at".to_owned(), timestamp(listed_at)),
        ("check_bucket".to_owned(), number(check_bucket(id))),
        ("schema_version".to_owned(), number(SCHEMA_VERSION)),
    ]);
    row.extend(
        name.as_ref()
            .map(|name| ("name".to_owned(), text(name.expose()))),
    );
    row.extend(created_at.map(|created_at| ("created_at".to_owned(), timestamp(created_at))));

    row
}
