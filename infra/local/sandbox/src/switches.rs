//! BILL behavior that its documentation leaves open: one switch for each open point in the notes to
//! the contract.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::events::switches::EventSwitches;

/// BILL behavior that its documentation leaves open, and the sandbox's limits. The defaults are the
/// assumptions in the notes to the contract. In JSON, absent fields have their default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Switches {
    /// HTTP status of a wrong user name or password (`BDC_1101`).
    pub bad_login_status: u16,
    /// HTTP status of a wrong application or developer key (`BDC_1102`).
    pub bad_key_status: u16,
    /// HTTP status of both request limits (`BDC_1144`, `BDC_1322`): 422 or 429.
    pub limit_status: u16,
    /// Seconds in the `Retry-After` header of both request limits. `None` sends no header.
    pub retry_after: Option<u64>,
    /// HTTP status of a sign-in as a user whom the organization does not have, or who is archived.
    pub unknown_user_status: u16,
    /// The operations (`operationId`) that BILL refuses with status 403, by the user's role. A
    /// user may have further ones.
    pub denied_operations: BTreeMap<String, BTreeSet<String>>,
    /// The response to `getRiskVerifications` before verification started.
    pub unstarted_verification: UnstartedVerification,
    /// Whether archived organizations, users and bank accounts are listed.
    pub list_archived: bool,
    /// Whether `loginAsUser` is limited to 200 requests in a clock hour.
    pub limit_login_as_user: bool,
    /// Requests in a clock hour before `BDC_1144`.
    pub hourly_limit: u64,
    /// Concurrent requests about one organization before `BDC_1322`.
    pub concurrent_limit: usize,
    /// The latency of each response in milliseconds.
    pub latency_ms: u64,
    /// Every how many pages a list has an empty page before its end, with a `nextPage`. `None`, 0
    /// and 1 mean never.
    pub empty_page_every: Option<usize>,
    /// Whether the last page has `"nextPage": ""` instead of no `nextPage`.
    pub empty_last_page_token: bool,
    /// The number of pages of the list of organizations; its last row is repeated. `None` means as
    /// many pages as the rows need.
    pub organization_pages: Option<usize>,
    /// The number of pages of each list of payments that is not empty; its last row is repeated.
    /// `None` means as many pages as the rows need.
    pub payment_pages: Option<usize>,
    /// Whether every list of bank accounts and of payments is empty, as in an hour in which BILL is
    /// at fault.
    pub empty_lists: bool,
    /// Whether a user with the role `NO_ACCESS` is shown empty lists.
    pub empty_lists_without_access: bool,
    /// Webhook behavior.
    pub events: EventSwitches,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            bad_login_status: 401,
            bad_key_status: 401,
            limit_status: 422,
            retry_after: None,
            unknown_user_status: 422,
            denied_operations: denied_by_default(),
            unstarted_verification: UnstartedVerification::Empty,
            list_archived: true,
            limit_login_as_user: false,
            hourly_limit: 20_000,
            concurrent_limit: 3,
            latency_ms: 0,
            empty_page_every: None,
            empty_last_page_token: false,
            organization_pages: None,
            payment_pages: None,
            empty_lists: false,
            empty_lists_without_access: false,
            events: EventSwitches::default(),
        }
    }
}

/// A user without access can sign in and read nothing.
fn denied_by_default() -> BTreeMap<String, BTreeSet<String>> {
    let reads = ["listBankAccounts", "listPayments", "getRiskVerifications"];

    [("NO_ACCESS".to_owned(), reads.map(str::to_owned).into())].into()
}

/// The response to `GET /v3/risk-verifications` for an organization whose verification has not
/// started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnstartedVerification {
    /// 200 with `{}`.
    Empty,
    /// 404 with an error array.
    NotFound,
}
