//! Syncs that are not needed.

use engagement::SyncRequest;
use store::OrganizationRow;

/// Why no sync is needed: it ran already for this time or a later one, or the organization is not
/// due.
pub fn skip_reason(previous: &OrganizationRow, request: &SyncRequest) -> Option<&'static str> {
    let is_synced = |checked_at| checked_at >= request.as_of;
    let is_later = |next_check_at| next_check_at > request.as_of;

    if previous.checked_at().is_some_and(is_synced) {
        Some("already synced for this time or a later one")
    } else if previous.next_check_at.is_some_and(is_later) && !request.all {
        Some("not due")
    } else {
        None
    }
}
