//! The operations of BILL's API that this client calls, with their method and path.

use std::fmt;

use reqwest::Method;

/// An operation, named by its id in BILL's API reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    PartnerLogin,
    LoginAsUser,
    ListPartnerOrganizations,
    ListPartnerUsers,
    ListBankAccounts,
    ListPayments,
    GetRiskVerifications,
    CreateSubscription,
    GetAllSubscriptions,
    GetSubscription,
    DeleteSubscription,
    SendTestEvent,
}

impl Operation {
    /// The operation's id in BILL's API reference.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::PartnerLogin => "partnerLogin",
            Self::LoginAsUser => "loginAsUser",
            Self::ListPartnerOrganizations => "listPartnerOrganizations",
            Self::ListPartnerUsers => "listPartnerUsers",
            Self::ListBankAccounts => "listBankAccounts",
            Self::ListPayments => "listPayments",
            Self::GetRiskVerifications => "getRiskVerifications",
            Self::CreateSubscription => "createSubscription",
            Self::GetAllSubscriptions => "getAllSubscriptions",
            Self::GetSubscription => "getSubscription",
            Self::DeleteSubscription => "deleteSubscription",
            Self::SendTestEvent => "sendTestEvent",
        }
    }

    /// Whether it is an operation on webhook subscriptions, whose errors have their own format.
    pub(crate) fn is_of_subscriptions(self) -> bool {
        matches!(
            self,
            Self::CreateSubscription
                | Self::GetAllSubscriptions
                | Self::GetSubscription
                | Self::DeleteSubscription
                | Self::SendTestEvent
        )
    }

    pub(crate) fn method(self) -> Method {
        match self {
            Self::PartnerLogin
            | Self::LoginAsUser
            | Self::CreateSubscription
            | Self::SendTestEvent => Method::POST,
            Self::DeleteSubscription => Method::DELETE,
            _ => Method::GET,
        }
    }

    /// The path relative to the base URL. Operations on one subscription append its id.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::PartnerLogin => "/v3/partner/login",
            Self::LoginAsUser => "/v3/partner/login-as-user",
            Self::ListPartnerOrganizations => "/v3/partner/organizations",
            Self::ListPartnerUsers => "/v3/partner/users",
            Self::ListBankAccounts => "/v3/funding-accounts/banks",
            Self::ListPayments => "/v3/payments",
            Self::GetRiskVerifications => "/v3/risk-verifications",
            Self::CreateSubscription
            | Self::GetAllSubscriptions
            | Self::GetSubscription
            | Self::DeleteSubscription
            | Self::SendTestEvent => "/v3/subscriptions",
        }
    }

    pub(crate) fn is_sign_in(self) -> bool {
        matches!(self, Self::PartnerLogin | Self::LoginAsUser)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id())
    }
}
