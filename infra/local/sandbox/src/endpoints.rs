//! The operations of the contract: checks keys and session, then calls the operation's handler.

mod reads;
mod sessions;
mod subscriptions;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    operations::{AuthLevel, Operation},
    population::organization::Organization,
    request::ApiRequest,
    responses::{ApiResponse, ErrorResponse, UNKNOWN_CODE},
    sessions::{Identity, UserIdentity},
    state::SandboxState,
    switches::{Switches, UnstartedVerification},
};

/// Carries out the operation. `Err` is BILL's error response.
pub(crate) async fn dispatch(
    state: &Arc<SandboxState>,
    request: &ApiRequest,
    switches: &Switches,
) -> Result<ApiResponse, ErrorResponse> {
    check_keys(state, request, switches)?;
    match request.operation {
        Operation::PartnerLogin => return sessions::partner_login(state, request, switches),
        Operation::Logout => return sessions::logout(state, request),
        _ => {}
    }

    let session_id = request
        .header("sessionId")
        .ok_or_else(ErrorResponse::invalid_session)?;
    let identity = state
        .sessions
        .lock()
        .touch(session_id, request.now)
        .ok_or_else(ErrorResponse::invalid_session)?;

    match (request.operation.auth_level(), identity) {
        (AuthLevel::Partner, Identity::Partner) if request.operation.is_about_subscriptions() => {
            subscriptions::dispatch(state, request, switches).await
        }
        (AuthLevel::Partner, Identity::Partner) => {
            handle_partner_operation(state, request, switches)
        }
        (AuthLevel::Organization, Identity::User(user)) => {
            let organization = state
                .customers
                .read()
                .by_id(&user.organization_id)
                .ok_or_else(ErrorResponse::invalid_session)?;
            handle_organization_operation(state, request, switches, &organization, &user)
        }
        _ => Err(ErrorResponse::invalid_session()),
    }
}

/// `Err` means that the key that the operation requires is missing or wrong.
fn check_keys(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
) -> Result<(), ErrorResponse> {
    let credentials = &state.credentials;
    let has_app_key = request.header("appKey") == Some(&credentials.app_key);
    let has_dev_key = request.header("devKey") == Some(&credentials.dev_key);
    let is_accepted = match request.operation.auth_level() {
        AuthLevel::Login => true,
        AuthLevel::Partner => has_app_key,
        AuthLevel::Organization => has_dev_key,
        AuthLevel::AnySession => has_app_key || has_dev_key,
    };

    if is_accepted {
        Ok(())
    } else {
        Err(ErrorResponse::new(switches.bad_key_status, "BDC_1102"))
    }
}

/// Operations with a partner session, other than those about subscriptions.
fn handle_partner_operation(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
) -> Result<ApiResponse, ErrorResponse> {
    let body = match request.operation {
        Operation::LoginAsUser => sessions::login_as_user(state, request, switches),
        Operation::ListPartnerOrganizations => reads::organizations(state, request, switches),
        _ => reads::users(state, request, switches),
    }?;

    Ok(ApiResponse::json(&body))
}

/// Operations with an organization session.
fn handle_organization_operation(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
    organization: &Organization,
    user: &UserIdentity,
) -> Result<ApiResponse, ErrorResponse> {
    let role = check_rights(request.operation, switches, organization, user)?;
    let shows_nothing = switches.empty_lists_without_access && role == Some("NO_ACCESS");
    let empty;
    let organization = if switches.empty_lists || shows_nothing {
        empty = Organization {
            bank_accounts: Vec::new(),
            payments: Vec::new(),
            ..organization.clone()
        };
        &empty
    } else {
        organization
    };

    let body = match request.operation {
        Operation::ListBankAccounts => reads::bank_accounts(state, request, switches, organization),
        Operation::ListPayments => reads::payments(state, request, switches, organization),
        Operation::GetRiskVerifications => risk_verification(switches, organization),
        _ => Ok(sessions::session_info(user)),
    }?;

    Ok(ApiResponse::json(&body))
}

/// The role of the user. `Err`: the role, or the user, may not carry out the operation.
fn check_rights<'a>(
    operation: Operation,
    switches: &Switches,
    organization: &'a Organization,
    user: &UserIdentity,
) -> Result<Option<&'a str>, ErrorResponse> {
    let Some(user) = organization.users.iter().find(|it| it.id == user.user_id) else {
        return Ok(None);
    };

    let by_role = switches.denied_operations.get(&user.role);
    let is_denied = [by_role, Some(&user.denied_operations)]
        .into_iter()
        .flatten()
        .any(|denied| denied.contains(operation.id()));
    if is_denied {
        let message = "The user does not have permission for this operation.";
        return Err(ErrorResponse::with_message(403, UNKNOWN_CODE, message));
    }
    Ok(Some(&user.role))
}

fn risk_verification(
    switches: &Switches,
    organization: &Organization,
) -> Result<Value, ErrorResponse> {
    match (&organization.verification, switches.unstarted_verification) {
        (Some(verification), _) => Ok(json!({
            "processingStatus": verification.processing_status,
            "decision": verification.decision,
            "referenceId": "fake-risk-ref-7712",
        })),
        (None, UnstartedVerification::Empty) => Ok(json!({})),
        (None, UnstartedVerification::NotFound) => Err(ErrorResponse::new(404, "BDC_1002")),
    }
}
