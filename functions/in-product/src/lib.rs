//! Serves in-product messages: what the partner's own product shows to the users of an
//! organization, from the same campaigns as the e-mails. `openapi.yaml` in this crate describes the
//! API for its callers.
//!
//! Start at [`InProduct::handle`], which handles both operations:
//!
//! | Request | Operation |
//! |---|---|
//! | `GET /v1/organizations/{organization_id}/messages` | gets the message of the current episode |
//! | `POST .../messages/{message_id}/dismiss` | hides this message until the next episode |
//!
//! An *episode* is the time that an organization spends in a stage without leaving it. Each episode
//! has its own message id, so a dismissal ends with its episode.
//!
//! The function reads the organization's stage and writes dismissals. It changes no stage, sends
//! nothing and does not call BILL. API Gateway has authenticated each request already.

mod config;
mod message;
mod responses;

use aws_config::SdkConfig;
use content::Content;
use engagement::{Organization, OrganizationId};
use runtime::{
    Failure, Invocation, Metrics,
    http::{Method, Request, Response, StatusCode},
};
use store::{Dismissals, Organizations, StoreError, Tables};

use crate::message::{Message, Messages};

pub use config::Config;
pub use responses::error_response;

/// The parts of the function. Built once per process.
pub struct InProduct {
    /// The organizations and their stages.
    organizations: Organizations,
    /// The dismissed messages.
    dismissals: Dismissals,
    /// The texts of the messages.
    content: Content,
}

impl InProduct {
    /// Builds the clients. An `Err` is permanent: the embedded campaigns are invalid.
    pub fn new(config: Config, aws: &SdkConfig) -> Result<Self, Failure> {
        let tables = Tables::new(store::interactive_client(aws), config.tables);

        Ok(Self {
            organizations: tables.organizations(),
            dismissals: tables.dismissals(),
            content: Content::embedded()?,
        })
    }

    /// Handles `GET /v1/organizations/{organization_id}/messages` and
    /// `POST /v1/organizations/{organization_id}/messages/{message_id}/dismiss`.
    ///
    /// Safe to repeat. An `Err` means that a table could not be used: the caller should retry. A
    /// dismissal may or may not have been written.
    pub async fn handle(
        &self,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<Response, Failure> {
        let metrics = &invocation.metrics;
        let Ok(id) = request
            .path_parameter("organization_id")
            .unwrap_or_default()
            .parse::<OrganizationId>()
        else {
            metrics.count("requests_refused");
            let detail =
                "An organization id has 1 to 64 letters, digits, '-' and '_', as BILL gives it.";
            return Ok(responses::problem(StatusCode::BAD_REQUEST, detail));
        };

        match (request.path_parameter("message_id"), request.method()) {
            (None, &Method::GET) => self.get_messages(&id, request, metrics).await,
            (Some(message_id), &Method::POST) => {
                self.dismiss_message(&id, message_id, invocation).await
            }
            (None, _) => Ok(responses::method_not_allowed("GET")),
            (Some(_), _) => Ok(responses::method_not_allowed("POST")),
        }
    }

    /// The operation `getMessages`. An `Err` means that a table could not be read.
    async fn get_messages(
        &self,
        id: &OrganizationId,
        request: &Request,
        metrics: &Metrics,
    ) -> Result<Response, Failure> {
        let organization = self.organizations.get(id).await?;
        let Some(organization) = organization else {
            return Ok(organization_not_found(id, metrics));
        };

        let message = match self.current_message(&organization) {
            Some(message) if self.is_dismissed(id, &message).await? => None,
            message => message,
        };

        let has_message = message.is_some();
        metrics.count(if has_message {
            "messages_shown"
        } else {
            "responses_without_message"
        });
        tracing::info!(
            organization_id = %id,
            stage = %organization.stage,
            has_message,
            "messages were requested"
        );

        responses::messages(&Messages::from(message), request)
    }

    /// The operation `dismissMessage`. An `Err` means that a table could not be used, so that the
    /// dismissal may or may not have been written.
    async fn dismiss_message(
        &self,
        id: &OrganizationId,
        message_id: &str,
        invocation: &Invocation,
    ) -> Result<Response, Failure> {
        let metrics = &invocation.metrics;
        let organization = self.organizations.get(id).await?;
        let Some(organization) = organization else {
            return Ok(organization_not_found(id, metrics));
        };
        let message = self
            .current_message(&organization)
            .filter(|message| message.id() == message_id);
        let Some(message) = message else {
            metrics.count("messages_unknown");
            let detail =
                "The organization has no such message now, so there is nothing to dismiss.";
            return Ok(responses::problem(StatusCode::NOT_FOUND, detail));
        };
        if !message.is_dismissible() {
            metrics.count("requests_refused");
            let detail = "This message stays until the customer has done what it asks for.";
            return Ok(responses::problem(StatusCode::CONFLICT, detail));
        }

        self.dismissals
            .add(id, message.id(), invocation.started_at)
            .await?;
        metrics.count("messages_dismissed");
        tracing::info!(
            organization_id = %id,
            stage = %organization.stage,
            "a message was dismissed"
        );

        Ok(responses::no_content())
    }

    /// The message of the current episode. `None`: the stage has no message.
    fn current_message(&self, organization: &Organization) -> Option<Message<'_>> {
        let content = self.content.in_product_message(organization.stage)?;
        Some(Message::new(
            content,
            organization.stage,
            organization.stage_since,
        ))
    }

    /// Whether a user dismissed the message. An `Err` means that the table could not be read.
    async fn is_dismissed(
        &self,
        id: &OrganizationId,
        message: &Message<'_>,
    ) -> Result<bool, StoreError> {
        // Content may change: a dismissal of a message that is no longer dismissible has no effect.
        if !message.is_dismissible() {
            return Ok(false);
        }

        self.dismissals.contains(id, message.id()).await
    }
}

fn organization_not_found(id: &OrganizationId, metrics: &Metrics) -> Response {
    metrics.count("organizations_unknown");
    tracing::info!(organization_id = %id, "the organization is unknown");

    responses::problem(
        StatusCode::NOT_FOUND,
        "No organization of this id is known. A new one is known within about an hour.",
    )
}
