//! What each message of a batch is about, and how many requests to BILL its sync may make: known
//! before the first of them.

use std::collections::{BTreeSet, HashMap};

use aws_lambda_events::event::sqs::SqsEvent;
use engagement::{Rules, SyncCause, SyncRequest, wants};
use jiff::Timestamp;
use store::{BudgetAmount, OrganizationRow, StoreError, StoredOrganization};

use crate::{
    event_phase::EventPhase,
    request::{self, Message},
    skip::skip_reason,
    snapshot::listed_snapshot,
    sync::Sync,
};

/// BILL requests of the first sync of an organization: users, sign-in, bank accounts, payments,
/// verification, and its row where a step is due at once.
const REQUESTS_OF_FIRST_SYNC: u32 = 6;

/// BILL requests that find the row of an organization that was never listed.
const REQUESTS_OF_LISTING: u32 = 1;

/// The messages of a batch.
#[derive(Default)]
pub struct BatchPlan {
    messages: Vec<PlannedMessage>,
    positions: HashMap<String, usize>,
    /// The messages whose syncs the budget does not cover.
    not_covered: BTreeSet<usize>,
}

/// One message, before its sync.
struct PlannedMessage {
    /// The item of the organization. `None`: the message is none that is processed.
    row: Option<Result<StoredOrganization, StoreError>>,
    /// The requests of the sync if BILL's data is as it was.
    requests: u32,
}

impl BatchPlan {
    /// Reads the organizations of a batch in one request.
    pub async fn read(event: &SqsEvent, sync: &Sync, now: Timestamp) -> Self {
        let requests: Vec<Option<SyncRequest>> = event
            .records
            .iter()
            .map(|record| match request::parse(record.body.as_deref()?) {
                Ok(Message::Request(request)) => Some(request),
                Ok(Message::Newer) | Err(_) => None,
            })
            .collect();
        let ids = requests.iter().flatten();
        let ids = ids.map(|request| request.organization.id.clone());
        let stored = sync.organizations.get_all_for_sync(ids).await;
        let row = |request: &SyncRequest| match &stored {
            Ok(rows) => rows
                .get(&request.organization.id)
                .cloned()
                .unwrap_or(Ok(StoredOrganization::Unknown)),
            Err(error) => Err(error.clone()),
        };

        let messages = requests.iter().map(|request| {
            let row = request.as_ref().map(row);
            let expected = request.as_ref().zip(row.as_ref()).map(|(request, row)| {
                let expected = |row| expected_requests(request, row, &sync.rules, now);
                row.as_ref().map_or(0, expected)
            });
            PlannedMessage {
                row,
                requests: expected.unwrap_or(0),
            }
        });
        let ids = event.records.iter().map(|record| &record.message_id);
        let ids = ids.map(|id| id.clone().unwrap_or_default());

        Self {
            messages: messages.collect(),
            positions: ids.zip(0..).collect(),
            not_covered: BTreeSet::new(),
        }
    }

    /// The amount of each sync that takes requests, in the order of the messages.
    pub fn amounts(&self) -> Vec<BudgetAmount> {
        let requests = self.messages.iter().map(|message| message.requests);
        requests
            .filter(|requests| *requests > 0)
            .map(|requests| BudgetAmount {
                requests,
                sign_ins: 1,
            })
            .collect()
    }

    /// Notes that the budget covers only the first of these amounts.
    pub fn cover(&mut self, amounts: usize) {
        let with_requests = self.messages.iter().enumerate();
        self.not_covered = with_requests
            .filter(|(_, message)| message.requests > 0)
            .map(|(position, _)| position)
            .skip(amounts)
            .collect();
    }

    /// Whether the budget covers the sync of this message.
    pub fn is_covered(&self, message_id: &str) -> bool {
        let position = self.positions.get(message_id);
        position.is_none_or(|position| !self.not_covered.contains(position))
    }

    /// The item of the message's organization, as the batch read it first.
    pub fn row(&self, message_id: &str) -> Option<Result<StoredOrganization, StoreError>> {
        let position = self.positions.get(message_id)?;
        self.messages.get(*position)?.row.clone()
    }
}

/// The requests to BILL that the sync of a message will make if BILL's data is as it was.
fn expected_requests(
    request: &SyncRequest,
    stored: &StoredOrganization,
    rules: &Rules,
    now: Timestamp,
) -> u32 {
    let first = |is_described: bool| {
        REQUESTS_OF_FIRST_SYNC + if is_described { 0 } else { REQUESTS_OF_LISTING }
    };
    let row = match stored {
        StoredOrganization::Newer => return 0,
        StoredOrganization::Unknown => return first(request.organization.is_described()),
        StoredOrganization::Known(row) => row,
    };
    let Some(listing) = &row.listing else {
        return first(request.organization.is_described());
    };
    if listing.archived || !needs_sync(request, row, now) {
        return 0;
    }
    let (cause, as_of) = match request.events_until {
        Some(_) => (SyncCause::Events, now),
        None => (SyncCause::Schedule, request.as_of),
    };

    let snapshot = listed_snapshot(listing, row.listed_at, false);
    let previous = row.record.as_ref();
    match wants(previous, &snapshot, rules, cause, as_of) {
        reads if reads.needs_user_session() => reads.requests(),
        _ => REQUESTS_OF_FIRST_SYNC,
    }
}

fn needs_sync(request: &SyncRequest, row: &OrganizationRow, now: Timestamp) -> bool {
    match request.events_until {
        Some(until) => EventPhase::new(request.as_of, until, row.checked_at(), now).needs_sync,
        None => skip_reason(row, request).is_none(),
    }
}
