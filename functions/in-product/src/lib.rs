//! In-product messages: what the partner's own product shows to the users of an organization, from
//! the same campaigns as the e-mails. `functions/in-product/openapi.yaml` describes the API to its
//! callers.
//!
//! The function reads where an organization stands and notes which messages were closed. It changes
//! no stage and sends nothing.

mod answers;
mod config;
mod message;

use content::Content;
use engagement::{Organization, OrganizationId};
use runtime::{
    Failure, Metrics, clock,
    http::{Method, Request, Response, StatusCode},
};
use store::{Dismissals, Organizations, StoreError};

pub use answers::error_response;
pub use config::Config;
pub use message::{Message, Messages};

/// Answers the partner's product. Built once per process.
pub struct InProduct {
    /// Where each organization stands.
    pub organizations: Organizations,
    /// Which messages were closed.
    pub dismissals: Dismissals,
    /// What there is to show.
    pub content: Content,
}

impl InProduct {
    /// Answers `/v1/organizations/{organization_id}/messages` and, below it,
    /// `/{message_id}/dismiss`.
    ///
    /// May be repeated. An `Err` means that a table could not be used; whether a message was
    /// dismissed is not known.
    pub async fn answer(&self, request: &Request, metrics: &Metrics) -> Result<Response, Failure> {
        let Ok(id) = request
            .path_parameter("organization_id")
            .unwrap_or_default()
            .parse::<OrganizationId>()
        else {
            metrics.count("requests_refused");
            let detail =
                "An organization id has 1 to 64 letters, digits, '-' and '_', as BILL gives it.";
            return Ok(answers::problem(StatusCode::BAD_REQUEST, detail));
        };
        match (request.path_parameter("message_id"), request.method()) {
            (None, &Method::GET) => self.show(&id, request, metrics).await,
            (Some(message_id), &Method::POST) => self.dismiss(&id, message_id, metrics).await,
            (None, _) => Ok(answers::method_not_allowed("GET")),
            (Some(_), _) => Ok(answers::method_not_allowed("POST")),
        }
    }

    async fn show(
        &self,
        id: &OrganizationId,
        request: &Request,
        metrics: &Metrics,
    ) -> Result<Response, Failure> {
        let Some(organization) = self.organizations.get(id).await.map_err(stored)? else {
            return Ok(unknown(id, metrics));
        };
        let message = match self.message(&organization) {
            Some(message)
                if message.can_be_dismissed()
                    && self
                        .dismissals
                        .contains(id, message.id())
                        .await
                        .map_err(stored)? =>
            {
                None
            }
            message => message,
        };
        metrics.count(if message.is_some() {
            "messages_shown"
        } else {
            "responses_without_message"
        });
        tracing::info!(organization_id = %id, stage = %organization.stage, shown = message.is_some(), "messages were asked for");
        answers::messages(&Messages::from(message), request)
    }

    async fn dismiss(
        &self,
        id: &OrganizationId,
        message_id: &str,
        metrics: &Metrics,
    ) -> Result<Response, Failure> {
        let Some(organization) = self.organizations.get(id).await.map_err(stored)? else {
            return Ok(unknown(id, metrics));
        };
        let message = self
            .message(&organization)
            .filter(|message| message.id() == message_id);
        let Some(message) = message else {
            metrics.count("messages_unknown");
            let detail =
                "The organization has no such message now, so there is nothing to dismiss.";
            return Ok(answers::problem(StatusCode::NOT_FOUND, detail));
        };
        if !message.can_be_dismissed() {
            metrics.count("requests_refused");
            let detail = "This message stays until the customer has done what it asks for.";
            return Ok(answers::problem(StatusCode::CONFLICT, detail));
        }
        self.dismissals
            .add(id, message.id(), clock::now())
            .await
            .map_err(stored)?;
        metrics.count("messages_dismissed");
        tracing::info!(organization_id = %id, stage = %organization.stage, "a message was dismissed");
        Ok(answers::dismissed())
    }

    fn message(&self, organization: &Organization) -> Option<Message<'_>> {
        let message = self.content.in_product(organization.stage)?;
        Some(Message::new(
            message,
            organization.stage,
            organization.stage_since,
        ))
    }
}

fn unknown(id: &OrganizationId, metrics: &Metrics) -> Response {
    metrics.count("organizations_unknown");
    tracing::info!(organization_id = %id, "the organization is not known");
    answers::problem(
        StatusCode::NOT_FOUND,
        "No organization of this id is known. A new one is known within about an hour.",
    )
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn stored(error: StoreError) -> Failure {
    Failure::named(error.type_name(), &error)
}
