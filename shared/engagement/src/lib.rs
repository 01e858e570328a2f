//! The pure rules of engagement: from what BILL says about an organization to the stage it is in,
//! the messages that would help it, and the moment to look again.
//!
//! Nothing here does I/O, reads a clock or knows AWS or HTTP; time is an argument everywhere. Start
//! reading at [`decide`].

mod campaign;
mod contact;
mod decide;
mod feedback;
mod guards;
mod identity;
mod notice;
mod organization;
mod payments;
mod personal;
mod send_window;
mod signals;
mod stage;
mod sync_request;
mod unsubscribe;

pub use campaign::{
    Cadences, Campaign, CampaignError, CampaignId, Campaigns, Category, Rules, Step, StepId,
};
pub use contact::{
    Contact, EventStamp, FrequencyCaps, InvalidEventStamp, InvalidFrequencyCaps, Suppression,
};
pub use decide::{Decision, decide};
pub use feedback::{Bounce, Feedback, MailEvent};
pub use guards::{
    CurrentStage, Expiry, GuardContext, Holdout, InvalidHoldout, Policy, Verdict, guard,
};
pub use identity::{IdentifierError, OrganizationId, UserId};
pub use notice::{
    Address, DUE_BUCKETS, InvalidNoticeId, Notice, NoticeId, NoticeKey, NoticeReason, NoticeStatus,
    PlannedNotice, Recipient, StoredRecipient, due_bucket,
};
pub use organization::{Organization, StepOutcome, StepRecord, Transition};
pub use payments::{MAX_PAYMENT_PAGES, Payment, PaymentHistory};
pub use personal::{AddressHash, AddressHashKey, EmailAddress, InvalidEmailAddress, Name};
pub use send_window::{InvalidSendWindow, OpeningHours, SendWindow};
pub use signals::{BankAccount, BankStatus, Role, Snapshot, User, Verification};
pub use stage::{Stage, StageReason, classify};
pub use sync_request::{ListedOrganization, SyncRequest};
pub use unsubscribe::{InvalidUnsubscribeKeys, Subscription, UnsubscribeKeys};
