//! What each operation answers.

use std::sync::Arc;

use axum::{
    extract::Query,
    http::{HeaderMap, request::Parts},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    SandboxState, Switches, UnstartedVerification,
    answers::{Answer, ErrorResponse},
    events,
    lists::{self, ListQuery, fields},
    operations::{self, Level, Operation},
    population::{
        CustomerRows, Organization,
        rows::{BankAccountRows, PaymentRows, UserRows},
    },
    server::hourly_limit_error,
    sessions::Identity,
};

/// A request, read.
pub(crate) struct Call {
    pub(crate) operation: Operation,
    headers: HeaderMap,
    path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Value,
    pub(crate) now: Timestamp,
}

impl Call {
    /// `None`: no operation serves this method and path.
    pub(crate) fn read(head: &Parts, body: &[u8], now: Timestamp) -> Option<Self> {
        let operation = Operation::of(&head.method, head.uri.path())?;
        let query = Query::try_from_uri(&head.uri)
            .map(|Query(query)| query)
            .unwrap_or_default();
        let body = serde_json::from_slice(body).unwrap_or(Value::Null);
        Some(Self {
            operation,
            headers: head.headers.clone(),
            path: head.uri.path().to_owned(),
            query,
            body,
            now,
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)?
            .to_str()
            .ok()
            .filter(|value| !value.is_empty())
    }

    /// The subscription that the path names; empty where it names none.
    pub(crate) fn subscription_id(&self) -> &str {
        operations::subscription_id(&self.path).unwrap_or_default()
    }

    /// The named text fields of the body. `Err` lists those that are missing or empty.
    fn fields<const N: usize>(&self, names: [&str; N]) -> Result<[&str; N], ErrorResponse> {
        let values = names.map(|name| {
            self.body
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        });
        let missing: Vec<String> = names
            .iter()
            .zip(&values)
            .filter(|(_, value)| value.is_empty())
            .map(|(name, _)| format!("{name}: must not be null"))
            .collect();
        if missing.is_empty() {
            Ok(values)
        } else {
            Err(ErrorResponse::validation(missing))
        }
    }
}

/// The organization that a request is about: of its session, its header or its body.
pub(crate) fn target_organization_id(shared: &SandboxState, call: &Call) -> Option<String> {
    match call.operation {
        Operation::ListPartnerUsers => call.header("organizationId").map(str::to_owned),
        Operation::LoginAsUser => call
            .body
            .get("organizationId")
            .and_then(Value::as_str)
            .map(str::to_owned),
        operation
            if operation.level() == Level::Partner || operation == Operation::PartnerLogin =>
        {
            None
        }
        _ => match shared
            .sessions
            .lock()
            .peek(call.header("sessionId")?, call.now)
        {
            Some(Identity::User {
                organization_id, ..
            }) => Some(organization_id.clone()),
            _ => None,
        },
    }
}

/// Checks keys and session, then answers.
pub(crate) async fn answer(
    shared: &Arc<SandboxState>,
    call: &Call,
    switches: &Switches,
) -> Result<Answer, ErrorResponse> {
    check_keys(shared, call, switches)?;
    match call.operation {
        Operation::PartnerLogin => return partner_login(shared, call, switches),
        Operation::Logout => return log_out(shared, call),
        _ => {}
    }
    let session_id = call
        .header("sessionId")
        .ok_or_else(ErrorResponse::session)?;
    let identity = shared
        .sessions
        .lock()
        .touch(session_id, call.now)
        .ok_or_else(ErrorResponse::session)?;
    match (call.operation.level(), identity) {
        (Level::Partner, Identity::Partner) if call.operation.is_about_subscriptions() => {
            events::endpoints::answer(shared, call, switches).await
        }
        (Level::Partner, Identity::Partner) => handle_partner_operation(shared, call, switches),
        (
            Level::Organization,
            Identity::User {
                organization_id,
                user_id,
                trusted,
            },
        ) => {
            let organization = shared
                .customers
                .read()
                .by_id(&organization_id)
                .ok_or_else(ErrorResponse::session)?;
            handle_organization_operation(shared, call, switches, &organization, &user_id, trusted)
        }
        _ => Err(ErrorResponse::session()),
    }
}

fn check_keys(
    shared: &SandboxState,
    call: &Call,
    switches: &Switches,
) -> Result<(), ErrorResponse> {
    let credentials = &shared.credentials;
    let app_key = call.header("appKey") == Some(&credentials.app_key);
    let dev_key = call.header("devKey") == Some(&credentials.dev_key);
    let accepted = match call.operation.level() {
        Level::Login => true,
        Level::Partner => app_key,
        Level::Organization => dev_key,
        Level::Either => app_key || dev_key,
    };
    if accepted {
        Ok(())
    } else {
        Err(ErrorResponse::new(switches.bad_key_status, "BDC_1102"))
    }
}

fn partner_login(
    shared: &SandboxState,
    call: &Call,
    switches: &Switches,
) -> Result<Answer, ErrorResponse> {
    let [username, password, app_key] = call.fields(["username", "password", "appKey"])?;
    let credentials = &shared.credentials;
    if app_key != credentials.app_key {
        return Err(ErrorResponse::new(switches.bad_key_status, "BDC_1102"));
    }
    if username != credentials.username || password != credentials.password {
        return Err(ErrorResponse::new(switches.bad_login_status, "BDC_1101"));
    }
    let session_id = shared.sessions.lock().open(Identity::Partner, call.now);
    Ok(Answer::json(&json!({ "sessionId": session_id })))
}

fn log_out(shared: &SandboxState, call: &Call) -> Result<Answer, ErrorResponse> {
    let session_id = call
        .header("sessionId")
        .ok_or_else(ErrorResponse::session)?;
    let mut sessions = shared.sessions.lock();
    sessions
        .peek(session_id, call.now)
        .ok_or_else(ErrorResponse::session)?;
    sessions.end(session_id);
    Ok(Answer::empty())
}

fn handle_partner_operation(
    shared: &SandboxState,
    call: &Call,
    switches: &Switches,
) -> Result<Answer, ErrorResponse> {
    match call.operation {
        Operation::LoginAsUser => login_as_user(shared, call, switches),
        Operation::ListPartnerOrganizations => {
            let query = ListQuery::read(&call.query, &fields::ORGANIZATIONS, "organizations")?;
            let rows = CustomerRows(shared.customers.read());
            let pages = switches.organization_pages;
            lists::page(&rows, &query, pages, switches, &shared.page_token_key)
                .map(|page| Answer::json(&page))
        }
        _ => {
            let Some(id) = call.header("organizationId") else {
                return Err(ErrorResponse::validation(vec![
                    "organizationId: must not be null".to_owned(),
                ]));
            };
            let query = ListQuery::read(&call.query, &fields::USERS, id)?;
            let organization = shared.customers.read().by_id(id).ok_or_else(|| {
                ErrorResponse::unprocessable("The organization does not belong to this partner.")
            })?;
            lists::page(
                &UserRows(&organization),
                &query,
                None,
                switches,
                &shared.page_token_key,
            )
            .map(|page| Answer::json(&page))
        }
    }
}

fn login_as_user(
    shared: &SandboxState,
    call: &Call,
    switches: &Switches,
) -> Result<Answer, ErrorResponse> {
    let [user_id, organization_id] = call.fields(["userId", "organizationId"])?;
    if switches.limit_login_as_user && !shared.limits.take_sign_in(call.now, SIGN_INS_PER_HOUR) {
        let message =
            format!("Max number of allowed logins per hour reached: {SIGN_INS_PER_HOUR}.");
        return Err(hourly_limit_error("BDC_1144", &message, switches));
    }
    let organization = shared.customers.read().by_id(organization_id);
    let known = organization.is_some_and(|organization| {
        organization
            .users
            .iter()
            .any(|user| user.id == user_id && !user.archived)
    });
    if !known {
        return Err(ErrorResponse::unprocessable(
            "The user cannot sign in to this organization.",
        ));
    }
    let trusted = ["rememberMeId", "device"]
        .iter()
        .all(|name| call.body.get(name).is_some_and(Value::is_string));
    let identity = Identity::User {
        organization_id: organization_id.to_owned(),
        user_id: user_id.to_owned(),
        trusted,
    };
    let session_id = shared.sessions.lock().open(identity, call.now);
    Ok(Answer::json(
        &json!({ "sessionId": session_id, "trusted": trusted }),
    ))
}

fn handle_organization_operation(
    shared: &SandboxState,
    call: &Call,
    switches: &Switches,
    organization: &Arc<Organization>,
    user_id: &str,
    trusted: bool,
) -> Result<Answer, ErrorResponse> {
    let id = organization.id.as_deref().unwrap_or_default();
    match call.operation {
        Operation::ListBankAccounts => {
            let query = ListQuery::read(&call.query, &fields::BANKS, id)?;
            lists::page(
                &BankAccountRows(organization),
                &query,
                None,
                switches,
                &shared.page_token_key,
            )
            .map(|page| Answer::json(&page))
        }
        Operation::ListPayments => {
            let query = ListQuery::read(&call.query, &fields::PAYMENTS, id)?;
            let rows = PaymentRows::new(organization);
            lists::page(
                &rows,
                &query,
                switches.payment_pages,
                switches,
                &shared.page_token_key,
            )
            .map(|page| Answer::json(&page))
        }
        Operation::GetRiskVerifications => {
            match (&organization.verification, switches.unstarted_verification) {
                (Some(verification), _) => Ok(Answer::json(&verification.row())),
                (None, UnstartedVerification::Empty) => Ok(Answer::json(&json!({}))),
                (None, UnstartedVerification::NotFound) => Err(ErrorResponse::new(404, "BDC_1002")),
            }
        }
        _ => {
            let mfa_status = if trusted { "COMPLETE" } else { "CHALLENGE" };
            Ok(Answer::json(&json!({
                "organizationId": id,
                "userId": user_id,
                "mfaStatus": mfa_status,
                "mfaBypass": false,
            })))
        }
    }
}

/// Documented for `POST /v3/login`; whether login-as-user counts is unknown.
const SIGN_INS_PER_HOUR: u64 = 200;
