//! The client of SES: the account's send rate, and one e-mail per call.

use aws_config::SdkConfig;
use aws_sdk_sesv2::{
    Client,
    config::{Builder, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    types::{
        Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag, SendQuota,
    },
};
use content::Mail;
use engagement::{EmailAddress, Notice};
use runtime::ErrorType;

use crate::send_error::SendError;

/// The send rate of an account in the SES sandbox, in e-mails per second.
const SANDBOX_SEND_RATE: f64 = 1.0;

/// Sends e-mails through SES. It repeats no call: SES has no idempotency token, so a repeated call
/// could send a second e-mail.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: Client,
    from: String,
    reply_to: EmailAddress,
    configuration_set: String,
}

impl Mailer {
    /// A mailer that sends from `from`, an address that SES has verified, with or without a display
    /// name.
    pub fn new(
        aws: &SdkConfig,
        from: String,
        reply_to: EmailAddress,
        configuration_set: String,
    ) -> Self {
        let without_retries = Builder::from(aws)
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            client: Client::from_conf(without_retries),
            from,
            reply_to,
            configuration_set,
        }
    }

    /// The account's `MaxSendRate` in e-mails per second, or the rate of the SES sandbox when SES
    /// returns none. `None`: SES does not respond, so no e-mail may be sent.
    pub(crate) async fn max_send_rate(&self) -> Option<f64> {
        match self.client.get_account().send().await {
            Ok(account) => {
                let quota = account.send_quota();
                Some(quota.map_or(SANDBOX_SEND_RATE, SendQuota::max_send_rate))
            }
            Err(error @ (SdkError::DispatchFailure(_) | SdkError::TimeoutError(_))) => {
                tracing::warn!(
                    error_type = ErrorType::MailUnavailable.name(),
                    error = %error,
                    "SES does not respond; nothing is sent"
                );
                None
            }
            Err(error) => {
                tracing::warn!(
                    error_type = ErrorType::MailUnavailable.name(),
                    error = error.code().unwrap_or("no response"),
                    "SES did not return the send rate; sending one e-mail per second"
                );
                Some(SANDBOX_SEND_RATE)
            }
        }
    }

    /// Sends one e-mail and returns SES's message id. The tags of the e-mail identify the notice in
    /// the events of SES.
    pub(crate) async fn send(
        &self,
        notice: &Notice,
        to: &EmailAddress,
        email: &Mail,
    ) -> Result<String, SendError> {
        let message = message(email)?;
        let response = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .reply_to_addresses(self.reply_to.expose())
            .destination(Destination::builder().to_addresses(to.expose()).build())
            .content(EmailContent::builder().simple(message).build())
            .configuration_set_name(&self.configuration_set)
            .email_tags(tag("notice_id", notice.id().to_string())?)
            .email_tags(tag("campaign", notice.campaign.to_string())?)
            .email_tags(tag("step", notice.step.to_string())?)
            .email_tags(tag("stage", notice.stage.to_string())?)
            .send()
            .await
            .map_err(|error| SendError::classify(&error))?;

        response
            .message_id
            .ok_or_else(|| SendError::Ambiguous("no message id".to_owned()))
    }
}

fn message(email: &Mail) -> Result<Message, SendError> {
    let body = Body::builder()
        .text(utf8(&email.text)?)
        .html(utf8(&email.html)?)
        .build();
    let mut message = Message::builder().subject(utf8(&email.subject)?).body(body);
    for header in &email.headers {
        let header = MessageHeader::builder()
            .name(header.name())
            .value(header.value())
            .build()
            .map_err(|_| incomplete())?;
        message = message.headers(header);
    }
    Ok(message.build())
}

fn utf8(text: &str) -> Result<Content, SendError> {
    Content::builder()
        .data(text)
        .charset("UTF-8")
        .build()
        .map_err(|_| incomplete())
}

fn tag(name: &str, value: String) -> Result<MessageTag, SendError> {
    MessageTag::builder()
        .name(name)
        .value(value)
        .build()
        .map_err(|_| incomplete())
}

/// A required field of the request is missing, so it was not sent.
fn incomplete() -> SendError {
    SendError::Rejected("message incomplete".to_owned())
}
