//! The list operations: organizations, users, bank accounts and payments.

use serde_json::Value;

use crate::{
    lists::{self, fields, query::ListQuery},
    population::{
        organization::Organization,
        rows::{
            bank_accounts::BankAccountRows, organizations::CustomerRows, payments::PaymentRows,
            users::UserRows,
        },
    },
    request::ApiRequest,
    responses::ErrorResponse,
    state::SandboxState,
    switches::Switches,
};

pub(super) fn organizations(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
) -> Result<Value, ErrorResponse> {
    let query = ListQuery::parse(request, &fields::ORGANIZATIONS, "organizations")?;
    let rows = CustomerRows(state.customers.read());
    let pages = switches.organization_pages;

    lists::build_page(&rows, &query, pages, switches, &state.page_token_key)
}

pub(super) fn users(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
) -> Result<Value, ErrorResponse> {
    let Some(id) = request.header("organizationId") else {
        return Err(ErrorResponse::validation(vec![
            "organizationId: must not be null".to_owned(),
        ]));
    };
    let query = ListQuery::parse(request, &fields::USERS, id)?;
    let organization = state.customers.read().by_id(id).ok_or_else(|| {
        ErrorResponse::unprocessable("The organization does not belong to this partner.")
    })?;
    let rows = UserRows(&organization);

    lists::build_page(&rows, &query, None, switches, &state.page_token_key)
}

pub(super) fn bank_accounts(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
    organization: &Organization,
) -> Result<Value, ErrorResponse> {
    let id = organization.id.as_deref().unwrap_or_default();
    let query = ListQuery::parse(request, &fields::BANK_ACCOUNTS, id)?;
    let rows = BankAccountRows(organization);

    lists::build_page(&rows, &query, None, switches, &state.page_token_key)
}

pub(super) fn payments(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
    organization: &Organization,
) -> Result<Value, ErrorResponse> {
    let id = organization.id.as_deref().unwrap_or_default();
    let query = ListQuery::parse(request, &fields::PAYMENTS, id)?;
    let rows = PaymentRows::new(organization);
    let pages = switches.payment_pages;

    lists::build_page(&rows, &query, pages, switches, &state.page_token_key)
}
