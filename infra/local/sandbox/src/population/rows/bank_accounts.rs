//! The rows of `listBankAccounts`.

use serde_json::{Value, json};

use super::with_defect;
use crate::{
    lists::rows::Rows,
    population::{
        organization::{BankAccount, Organization},
        seeded_random::SeededRandom,
    },
    responses::format_timestamp,
};

const BANKS: &[&str] = &[
    "Larkspur Community Bank",
    "Granite Falls Credit Union",
    "First Harbor Bank",
];

/// The rows of an organization's bank accounts.
pub(crate) struct BankAccountRows<'a>(pub(crate) &'a Organization);

impl Rows for BankAccountRows<'_> {
    fn len(&self) -> usize {
        self.0.bank_accounts.len()
    }

    fn row(&self, position: usize) -> Value {
        let BankAccount {
            id,
            archived,
            status,
            created_at,
            updated_at,
            defect,
        } = &self.0.bank_accounts[position];
        let random = SeededRandom::from_id(id);
        let last_digits = random.number_below("account", 10_000);
        let row = json!({
            "id": id,
            "archived": archived,
            "status": status,
            "createdBy": self.0.users.first().map(|user| &user.id),
            "routingNumber": "110000000",
            "accountNumber": format!("************{last_digits:04}"),
            "nameOnAccount": self.0.name,
            "type": "CHECKING",
            "ownerType": "BUSINESS",
            "bankName": random.pick("bank", BANKS),
            "accessToAdmins": true,
            "default": { "payables": position == 0, "receivables": position == 0 },
            "createdTime": format_timestamp(*created_at),
            "updatedTime": updated_at.map(format_timestamp),
            "chartOfAccountId": random.bill_id("0ca"),
        });

        with_defect(row, *defect)
    }

    fn is_archived(&self, position: usize) -> bool {
        self.0.bank_accounts[position].archived
    }

    fn oldest_first(&self) -> bool {
        false
    }

    fn position_of(&self, _: &str) -> Option<usize> {
        None
    }
}
