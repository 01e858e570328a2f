//! The status of a notice and the reason for it.

use serde::{Deserialize, Serialize};

/// The status of a notice.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumIter,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NoticeStatus {
    /// Waits to be sent.
    Due,
    /// A notifier is sending it.
    Claimed,
    /// SES accepted it.
    Sent,
    /// The recipient's mail server accepted it.
    Delivered,
    /// The recipient's mail server rejected it.
    Bounced,
    /// The recipient reported it as spam.
    Complained,
    /// It was not sent, or SES dropped it after accepting it.
    Failed,
    /// It may have been sent. Feedback of SES or an operator decides.
    Unknown,
    /// A guard objected. It was not sent.
    Skipped,
}

/// Why a notice has its status.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumIter,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NoticeReason {
    /// Skipped: the notice is too old.
    Expired,
    /// Skipped: the organization has left the stage or episode that the e-mail is about.
    StateChanged,
    /// Skipped: the notice has no address.
    MissingAddress,
    /// Skipped: the address is not valid.
    InvalidAddress,
    /// Skipped: the address had a hard bounce, a complaint or repeated soft bounces.
    Suppressed,
    /// Skipped: the recipient unsubscribed from this category or from all categories.
    Unsubscribed,
    /// Skipped: the organization is in the control group.
    Holdout,
    /// Deferred: the frequency cap of the address is reached.
    Capped,
    /// Deferred: outside of the send window.
    QuietHours,
    /// Deferred: the daily send limit of the stack is reached.
    DailyLimit,
    /// Due: dry run is on, so nothing is sent.
    DryRun,
    /// Due: SES throttled the request.
    Throttled,
    /// Failed: SES rejected the message, its sender or its recipient.
    MessageRejected,
    /// Due: sending is paused for the SES account.
    SendingPaused,
    /// Failed: the e-mail could not be rendered from the content files.
    Unrenderable,
    /// Unknown: the connection to SES ended before a response arrived.
    NoAnswer,
    /// Unknown: the notifier that claimed the notice did not finish.
    ClaimAbandoned,
    /// Sent: delivery is delayed and SES keeps trying.
    DeliveryDelayed,
    /// Bounced: permanent.
    HardBounce,
    /// Bounced: possibly temporary.
    SoftBounce,
    /// Bounced: SES cannot tell whether the bounce is permanent.
    UndeterminedBounce,
    /// Failed: SES accepted the message and then found a virus in it.
    ContentRejected,
    /// Failed: SES accepted the message and then could not render it.
    RenderingFailure,
}
