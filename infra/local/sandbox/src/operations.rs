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
    CreateSubscription,
    GetAllSubscriptions,
    GetSubscription,
    DeleteSubscription,
    SendTestEvent,
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
    /// The operation that serves this method and path, whatever stands before `/v3/`; those of the
    /// webhooks stand on their own beneath `/connect-events`.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let (base, path) = path.split_at(path.find("/v3/")?);
        if base.ends_with(EVENTS) {
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
        let mut segments = path.strip_prefix(SUBSCRIPTIONS)?.split('/');
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
            Self::CreateSubscription => "createSubscription",
            Self::GetAllSubscriptions => "getAllSubscriptions",
            Self::GetSubscription => "getSubscription",
            Self::DeleteSubscription => "deleteSubscription",
            Self::SendTestEvent => "sendTestEvent",
        }
    }

    pub(crate) fn level(self) -> Level {
        match self {
            Self::PartnerLogin => Level::Login,
            Self::ListBankAccounts
            | Self::ListPayments
            | Self::GetRiskVerifications
            | Self::GetSessionInfo => Level::Organization,
            Self::Logout => Level::Either,
            _ => Level::Partner,
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

    fn method(self) -> Method {
        match self {
            Self::PartnerLogin | Self::LoginAsUser | Self::Logout => Method::POST,
            _ => Method::GET,
        }
    }
}

/// The subscription that a path is about.
pub(crate) fn subscription_id(path: &str) -> Option<&str> {
    let rest = &path[path.find(SUBSCRIPTIONS)? + SUBSCRIPTIONS.len()..];
    rest.strip_prefix('/')?.split('/').next()
}

const EVENTS: &str = "/connect-events";
const SUBSCRIPTIONS: &str = "/v3/subscriptions";
