//! A client of the BILL v3 partner API.
//!
//! [`Bill`] lists the partner's organizations; [`OrganizationClient`] reads one of them. Both log in
//! when they must, repeat what is worth repeating, follow pages, keep to BILL's limits, and never
//! work past the deadline that the caller gives.
//!
//! The crate knows HTTP and nothing of engagement. What it cannot read in an answer it leaves out:
//! every field of a row is optional, and only fields that somebody needs are read at all.

mod answer;
mod base_url;
mod client;
mod credentials;
mod error;
pub mod events;
mod lane;
mod lenient;
mod list;
mod model;
mod organization;
mod partner;
mod session;

pub use base_url::{BaseUrl, BaseUrlError};
pub use client::{ClientError, http_client};
pub use credentials::{CredentialError, CredentialSource, Credentials};
pub use error::{Cause, Code, Error, ErrorKind, Operation};
pub use list::{Page, PageToken, Rows};
pub use model::{
    BankAccount, BankAccountStatus, Decision, Organization, Payment, PaymentStatus,
    ProcessingStatus, RiskVerification, Role, RoleType, User,
};
pub use organization::OrganizationClient;
pub use partner::Bill;
