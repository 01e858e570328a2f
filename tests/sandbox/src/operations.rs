//! The operations of the contract that are served.

use axum::http::Method;

/// One operation; its id, method and path are the contract's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    PartnerLogin,
    LoginAsUser,
    ListPartnerOrganizations,
    ListPartnerUsers,
    ListBankAccounts,
    ListPayments,
    GetRiskVerifications,
    Logout,
    GetSessionInfo,
}

/// Which keys and session an operation wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// No session; the keys are in the body.
    Login,
    /// A partner session with `appKey`.
    Partner,
    /// An organization session with `devKey`.
    Organization,
    /// Any session with either key: whether log-out accepts `appKey` is unknown.
    Either,
}

impl Operation {
    /// The operation that serves this method and path, whatever stands before `/v3/`.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let path = &path[path.find("/v3/")?..];
        let operation = match path {
            "/v3/partner/login" => Self::PartnerLogin,
            "/v3/partner/login-as-user" => Self::LoginAsUser,
            "/v3/partner/organizations" => Self::ListPartnerOrganizations,
            "/v3/partner/users" => Self::ListPartnerUsers,
            "/v3/funding-accounts/banks" => Self::ListBankAccounts,
            "/v3/payments" => Self::ListPayments,
            "/v3/risk-verifications" => Self::GetRiskVerifications,
            "/v3/logout" => Self::Logout,
            "/v3/login/session" => Self::GetSessionInfo,
            _ => return None,
        };
        (operation.method() == method).then_some(operation)
    }

    /// The `operationId` of the contract.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::PartnerLogin => "partnerLogin",
            Self::LoginAsUser => "loginAsUser",
            Self::ListPartnerOrganizations => "listPartnerOrganizations",
            Self::ListPartnerUsers => "listPartnerUsers",
            Self::ListBankAccounts => "listBankAccounts",
            Self::ListPayments => "listPayments",
            Self::GetRiskVerifications => "getRiskVerifications",
            Self::Logout => "logout",
            Self::GetSessionInfo => "getSessionInfo",
        }
    }

    pub(crate) fn level(self) -> Level {
        match self {
            Self::PartnerLogin => Level::Login,
            Self::LoginAsUser | Self::ListPartnerOrganizations | Self::ListPartnerUsers => Level::Partner,
            Self::ListBankAccounts | Self::ListPayments | Self::GetRiskVerifications | Self::GetSessionInfo => Level::Organization,
            Self::Logout => Level::Either,
        }
    }

    fn method(self) -> Method {
        match self {
            Self::PartnerLogin | Self::LoginAsUser | Self::Logout => Method::POST,
            _ => Method::GET,
        }
    }
}
