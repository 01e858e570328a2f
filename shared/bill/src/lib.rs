//! A client of the BILL v3 partner API.
//!
//! [`BillClient`] lists the partner's organizations. [`OrganizationClient`] reads one organization:
//! its users, bank accounts, payments and risk verification. The module [`events`] manages webhook
//! subscriptions and verifies and parses the notifications that BILL sends for them.
//!
//! The client signs in when a call needs a session, and replaces expired sessions. It retries
//! transient failures with exponential backoff, honors `Retry-After`, sends at most two concurrent
//! requests per organization, and stops at the deadline that the caller passes. A failed call
//! returns an [`Error`]; its [`ErrorKind`] says what the failure means to the caller.
//!
//! Rows are parsed leniently: every field is optional, a field of the wrong type is `None`, and
//! only fields that a caller needs are parsed at all. Errors, logs and `Debug` output contain no
//! response bodies, credentials, session ids or personal data.
//!
//! Where to start reading: `client.rs` and `organization.rs` hold the public calls,
//! `partner_sessions.rs` the sign-in, `transport.rs` the retries, `response.rs` the mapping of
//! BILL's error codes to [`ErrorKind`].
//!
//! The crate does not know the engagement rules, AWS, or where credentials are stored: callers
//! pass a [`CredentialSource`].

mod base_url;
mod client;
mod client_inner;
mod credentials;
mod error;
pub mod events;
mod lenient;
mod list;
mod model;
mod operation;
mod organization;
mod organization_permits;
mod partner_sessions;
mod response;
mod session_id;
mod transport;

pub use base_url::{BaseUrl, BaseUrlError};
pub use client::{BillClient, OrganizationOrder};
pub use credentials::{CredentialError, CredentialSource, Credentials};
pub use error::{Error, ErrorCode, ErrorKind};
pub use list::{ListResult, Page, PageToken};
pub use model::{
    BankAccount, BankAccountStatus, Organization, Payment, PaymentStatus, ProcessingStatus,
    RiskDecision, RiskVerification, Role, RoleType, User,
};
pub use organization::OrganizationClient;
pub use transport::{HttpClientError, http_client};
