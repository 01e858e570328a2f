//! The rules of BILL Engage: which stage an organization is in, which e-mails it is due, and
//! whether an e-mail may be sent now.
//!
//! A *sync* of an organization reads a [`Snapshot`] from BILL, as far as [`wants()`] asks for it,
//! and passes it to [`decide`]. The resulting [`Decision`] contains:
//!
//! - the new [`Organization`] record with the stage, as [`classify`] determines it,
//! - a [`Transition`], if the stage changed,
//! - one [`PlannedNotice`] for each recipient of the campaign step that became due,
//! - the time of the next sync.
//!
//! Before a [`Notice`] is sent, [`evaluate_guards`] returns a [`Verdict`]: send, skip, defer or
//! hold. [`Feedback`] maps the events that SES publishes for an e-mail to the status of its notice.
//!
//! Start reading at [`decide`], then [`classify`], then [`evaluate_guards`].
//!
//! The crate is pure: no I/O and no clock, time is always an argument. It does not know AWS, HTTP
//! or the texts of the e-mails. The types that other crates store or send ([`Organization`],
//! [`Transition`], [`Notice`], [`Contact`], [`SyncRequest`]) define their own serialized form.

mod address_hash;
mod campaign;
mod campaign_set;
mod candidates;
mod contact;
mod decide;
mod event_stamp;
mod facts;
mod feedback;
mod frequency_caps;
mod guards;
mod holdout;
mod identity;
mod notice;
mod organization;
mod payments;
mod personal;
mod rules;
mod send_policy;
mod send_window;
mod snapshot;
mod stage;
mod sync_request;
mod time;
mod unsubscribe;
mod wants;

pub use address_hash::{AddressHash, AddressHashKey};
pub use campaign::{Campaign, CampaignId, Category, Step, StepId};
pub use campaign_set::{CampaignError, Campaigns};
pub use candidates::sign_in_candidates;
pub use contact::{Contact, Suppression};
pub use decide::{Decision, decide};
pub use event_stamp::{EventStamp, InvalidEventStamp};
pub use feedback::{Bounce, Feedback, MailEvent};
pub use frequency_caps::{FrequencyCaps, InvalidFrequencyCaps};
pub use guards::{CurrentStage, GuardContext, Verdict, evaluate_guards};
pub use holdout::{Holdout, InvalidHoldout};
pub use identity::{IdentifierError, OrganizationId, UserId};
pub use notice::{
    DUE_BUCKETS, InvalidNoticeId, Notice, NoticeId, NoticeKey, NoticeReason, NoticeStatus,
    PlannedNotice, Recipient, StoredAddress, StoredRecipient, due_bucket,
};
pub use organization::{
    CHECK_BUCKETS, Organization, StepOutcome, StepRecord, Transition, check_bucket,
};
pub use payments::{MAX_PAYMENT_PAGES, Payment, PaymentHistory};
pub use personal::{EmailAddress, InvalidEmailAddress, Name};
pub use rules::{Cadences, Rules};
pub use send_policy::{Expiry, SendPolicy};
pub use send_window::{InvalidSendWindow, OpeningHours, SendWindow};
pub use snapshot::{BankAccount, BankStatus, Role, Snapshot, User, Verification};
pub use stage::{Stage, StageReason, classify};
pub use sync_request::{ListedOrganization, SyncRequest};
pub use unsubscribe::{EmailSubscription, InvalidUnsubscribeKeys, UnsubscribeKeys};
pub use wants::{SyncCause, Wants, wants};
