//! What BILL does where nobody knows what BILL does: each open point of the contract's notes is a
//! switch.

use serde::{Deserialize, Serialize};

use crate::EventSwitches;

/// The defaults are the notes' best guesses. Over HTTP absent fields take their default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// HTTP status of a wrong user name or password (`BDC_1101`).
    pub bad_login_status: u16,
    /// HTTP status of a wrong application or developer key (`BDC_1102`).
    pub bad_key_status: u16,
    /// HTTP status of both request limits (`BDC_1144`, `BDC_1322`): 422 or 429.
    pub limit_status: u16,
    /// Seconds in a `Retry-After` header beside both request limits; none is sent by default.
    pub retry_after: Option<u64>,
    /// What risk verification answers before it began.
    pub unstarted_verification: UnstartedVerification,
    /// Whether archived organizations, users and bank accounts are listed.
    pub list_archived: bool,
    /// Whether login-as-user counts against 200 sign-ins in a clock hour.
    pub limit_login_as_user: bool,
    /// Requests in a clock hour before `BDC_1144`.
    pub hourly_limit: u64,
    /// Requests at once for one organization before `BDC_1322`.
    pub concurrent_limit: usize,
    /// How long each answer takes, in milliseconds.
    pub latency_ms: u64,
    /// Every how many pages a list has an empty one in its middle (`nextPage` goes on). 1 and 0
    /// mean never.
    pub empty_page_every: Option<usize>,
    /// Whether the last page has `"nextPage": ""` instead of none.
    pub empty_last_page_token: bool,
    /// How many pages the list of organizations has; its last row repeats. None: as many as it
    /// needs.
    pub organization_pages: Option<usize>,
    /// How many pages a list of payments that is not empty has; its last row repeats. None: as many
    /// as it needs.
    pub payment_pages: Option<usize>,
    /// Webhooks.
    pub events: EventSwitches,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            bad_login_status: 401,
            bad_key_status: 401,
            limit_status: 422,
            retry_after: None,
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
            events: EventSwitches::default(),
        }
    }
}

/// What `GET /v3/risk-verifications` answers for an organization whose verification nobody
/// initiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnstartedVerification {
    /// 200 with `{}`.
    Empty,
    /// 404 with an error array.
    NotFound,
}
