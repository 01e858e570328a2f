//! The names of the tables.

environment::config! {
    /// The names of the tables.
    pub struct TableNames {
        /// One item for each organization.
        pub organizations_table: String,
        /// The stages that organizations entered.
        pub transitions_table: String,
        /// Notices and dismissals.
        pub notices_table: String,
        /// One item for each address.
        pub contacts_table: String,
        /// Budgets, and what fan-out did.
        pub runs_table: String,
    }
}
