//! Names of tables for tests whose DynamoDB is a stand-in.

use store::TableNames;

/// The names `organizations`, `transitions` and so on.
pub fn table_names() -> TableNames {
    TableNames {
        organizations_table: "organizations".to_owned(),
        transitions_table: "transitions".to_owned(),
        notices_table: "notices".to_owned(),
        contacts_table: "contacts".to_owned(),
        runs_table: "runs".to_owned(),
    }
}
