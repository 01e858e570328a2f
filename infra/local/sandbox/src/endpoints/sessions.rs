//! The operations about sessions: `partnerLogin`, `loginAsUser`, `logout` and `getSessionInfo`.

use serde_json::{Value, json};

use crate::{
    request::ApiRequest,
    responses::{ApiResponse, ErrorResponse, UNKNOWN_CODE},
    sessions::{Identity, UserIdentity},
    state::SandboxState,
    switches::Switches,
};

/// Logins in a clock hour. BILL documents this limit for `POST /v3/login`; whether `loginAsUser`
/// counts toward it is unknown.
const LOGINS_PER_HOUR: u64 = 200;

pub(super) fn partner_login(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
) -> Result<ApiResponse, ErrorResponse> {
    let [username, password, app_key] =
        request.required_fields(["username", "password", "appKey"])?;
    let credentials = &state.credentials;
    if app_key != credentials.app_key {
        return Err(ErrorResponse::new(switches.bad_key_status, "BDC_1102"));
    }
    if username != credentials.username || password != credentials.password {
        return Err(ErrorResponse::new(switches.bad_login_status, "BDC_1101"));
    }

    let session_id = state.sessions.lock().open(Identity::Partner, request.now);

    Ok(ApiResponse::json(&json!({ "sessionId": session_id })))
}

pub(super) fn login_as_user(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
) -> Result<Value, ErrorResponse> {
    let [user_id, organization_id] = request.required_fields(["userId", "organizationId"])?;
    if switches.limit_login_as_user && !state.limits.take_sign_in(request.now, LOGINS_PER_HOUR) {
        let message = format!("Max number of allowed logins per hour reached: {LOGINS_PER_HOUR}.");
        return Err(ErrorResponse::hourly_limit(&message, switches));
    }

    let organization = state.customers.read().by_id(organization_id);
    let is_known = organization.is_some_and(|organization| {
        organization
            .users
            .iter()
            .any(|user| user.id == user_id && !user.archived)
    });
    if !is_known {
        let message = "The user cannot sign in to this organization.";
        let status = switches.unknown_user_status;
        return Err(ErrorResponse::with_message(status, UNKNOWN_CODE, message));
    }

    let trusted = ["rememberMeId", "device"]
        .iter()
        .all(|name| request.body.get(name).is_some_and(Value::is_string));
    let identity = Identity::User(UserIdentity {
        organization_id: organization_id.to_owned(),
        user_id: user_id.to_owned(),
        trusted,
    });
    let session_id = state.sessions.lock().open(identity, request.now);

    Ok(json!({ "sessionId": session_id, "trusted": trusted }))
}

pub(super) fn logout(
    state: &SandboxState,
    request: &ApiRequest,
) -> Result<ApiResponse, ErrorResponse> {
    let session_id = request
        .header("sessionId")
        .ok_or_else(ErrorResponse::invalid_session)?;
    let mut sessions = state.sessions.lock();
    sessions
        .peek(session_id, request.now)
        .ok_or_else(ErrorResponse::invalid_session)?;
    sessions.end(session_id);

    Ok(ApiResponse::empty())
}

pub(super) fn session_info(user: &UserIdentity) -> Value {
    json!({
        "organizationId": user.organization_id,
        "userId": user.user_id,
        "mfaStatus": if user.trusted { "COMPLETE" } else { "CHALLENGE" },
        "mfaBypass": false,
    })
}
