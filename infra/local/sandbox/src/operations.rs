//! The contract's operations: their ids, paths and authentication.

use axum::http::Method;

const EVENTS_BASE_PATH: &str = "/connect-events";
const SUBSCRIPTIONS_PATH: &str = "/v3/subscriptions";

/// One operation. Id, method and path are the contract's.
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
    CreateSubscription,
    GetAllSubscriptions,
    GetSubscription,
    DeleteSubscription,
    SendTestEvent,
}

/// The session and the key that an operation requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthLevel {
    /// No session. The application key is in the body.
    Login,
    /// A partner session and `appKey`.
    Partner,
    /// An organization session and `devKey`.
    Organization,
    /// Any session and either key. Whether BILL's `logout` accepts `appKey` is unknown.
    AnySession,
}

impl Operation {
    /// The operation with this method and path. Any prefix before `/v3/` is ignored, except that
    /// the operations about subscriptions are served only under `/connect-events`.
    pub(crate) fn from_request(method: &Method, path: &str) -> Option<Self> {
        let (base, path) = path.split_at(path.find("/v3/")?);
        if base.ends_with(EVENTS_BASE_PATH) {
            return Self::from_events_request(method, path);
        }

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

    fn from_events_request(method: &Method, path: &str) -> Option<Self> {
        let mut segments = path.strip_prefix(SUBSCRIPTIONS_PATH)?.split('/');
        match (
            segments.next(),
            segments.next(),
            segments.next(),
            segments.next(),
        ) {
            (Some(""), None, ..) if method == Method::GET => Some(Self::GetAllSubscriptions),
            (Some(""), None, ..) if method == Method::POST => Some(Self::CreateSubscription),
            (Some(""), Some(id), None, _) if !id.is_empty() && method == Method::GET => {
                Some(Self::GetSubscription)
            }
            (Some(""), Some(id), None, _) if !id.is_empty() && method == Method::DELETE => {
                Some(Self::DeleteSubscription)
            }
            (Some(""), Some(_), Some("test"), None) if method == Method::POST => {
                Some(Self::SendTestEvent)
            }
            _ => None,
        }
    }

    /// The contract's `operationId`.
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
            Self::CreateSubscription => "createSubscription",
            Self::GetAllSubscriptions => "getAllSubscriptions",
            Self::GetSubscription => "getSubscription",
            Self::DeleteSubscription => "deleteSubscription",
            Self::SendTestEvent => "sendTestEvent",
        }
    }

    pub(crate) fn auth_level(self) -> AuthLevel {
        match self {
            Self::PartnerLogin => AuthLevel::Login,
            Self::ListBankAccounts
            | Self::ListPayments
            | Self::GetRiskVerifications
            | Self::GetSessionInfo => AuthLevel::Organization,
            Self::Logout => AuthLevel::AnySession,
            _ => AuthLevel::Partner,
        }
    }

    pub(crate) fn is_about_subscriptions(self) -> bool {
        matches!(
            self,
            Self::CreateSubscription
                | Self::GetAllSubscriptions
                | Self::GetSubscription
                | Self::DeleteSubscription
                | Self::SendTestEvent
        )
    }

    /// The method of an operation that is not about subscriptions.
    fn method(self) -> Method {
        match self {
            Self::PartnerLogin | Self::LoginAsUser | Self::Logout => Method::POST,
            _ => Method::GET,
        }
    }
}

/// The subscription id in a path.
pub(crate) fn subscription_id(path: &str) -> Option<&str> {
    let rest = &path[path.find(SUBSCRIPTIONS_PATH)? + SUBSCRIPTIONS_PATH.len()..];

    rest.strip_prefix('/')?.split('/').next()
}
