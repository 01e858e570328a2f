//! SES, and what its answers prove.

use aws_sdk_sesv2::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, EmailContent, Message, MessageTag},
};
use content::Mail;
use engagement::Notice;

/// Sends mail through SES, without ever repeating a call by itself: the client has to be built with retries off.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: Client,
    from: String,
    configuration_set: String,
}

/// SES did not confirm a mail. Each holds SES's error code, or what happened to the connection.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Not accepted: too fast. Later it will be.
    #[error("SES asks to slow down ({0})")]
    Throttled(String),
    /// Not accepted, and it never will be: the message itself is at fault.
    #[error("SES rejects the message ({0})")]
    Rejected(String),
    /// Not accepted, and neither would any other: the account, the sender or the permission is at fault.
    #[error("SES accepts no mail from this account ({0})")]
    AccountRefused(String),
    /// Nobody knows whether it was accepted. It must not be sent again blindly.
    #[error("SES gave no clear answer ({0})")]
    Ambiguous(String),
}

impl Mailer {
    /// A mailer that writes `from` an address that SES has verified.
    pub fn new(client: Client, from: String, configuration_set: String) -> Self {
        Self { client, from, configuration_set }
    }

    /// Hands one mail to SES and returns SES's message id.
    pub async fn send(&self, notice: &Notice, mail: Mail) -> Result<String, SendError> {
        let unusable = |_| SendError::Rejected("message incomplete".to_owned());
        let text = |text: String| Content::builder().data(text).charset("UTF-8").build();
        let body = Body::builder().text(text(mail.text).map_err(unusable)?).html(text(mail.html).map_err(unusable)?).build();
        let message = Message::builder().subject(text(mail.subject).map_err(unusable)?).body(body).build();
        let tag = |name: &str, value: String| MessageTag::builder().name(name).value(value).build().map_err(unusable);
        let answer = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(notice.recipient.address.expose()).build())
            .content(EmailContent::builder().simple(message).build())
            .configuration_set_name(&self.configuration_set)
            .email_tags(tag("notice_id", notice.id().to_string())?)
            .email_tags(tag("campaign", notice.campaign.to_string())?)
            .email_tags(tag("step", notice.step.to_string())?)
            .email_tags(tag("stage", notice.stage.to_string())?)
            .send()
            .await
            .map_err(|error| judge(&error))?;
        answer.message_id.ok_or_else(|| SendError::Ambiguous("no message id".to_owned()))
    }
}

/// What a failed call proves. Anything that does not prove that SES refused is ambiguous.
fn judge(error: &SdkError<SendEmailError>) -> SendError {
    let SdkError::ServiceError(answer) = error else {
        return match error {
            SdkError::ConstructionFailure(_) => SendError::Rejected("request not built".to_owned()),
            SdkError::TimeoutError(_) => SendError::Ambiguous("time-out".to_owned()),
            SdkError::DispatchFailure(_) => SendError::Ambiguous("connection broken".to_owned()),
            _ => SendError::Ambiguous("unreadable answer".to_owned()),
        };
    };
    let status = answer.raw().status().as_u16();
    let code = answer.err().code().unwrap_or("no code").to_owned();
    match answer.err() {
        SendEmailError::TooManyRequestsException(_) | SendEmailError::LimitExceededException(_) => SendError::Throttled(code),
        SendEmailError::MessageRejected(_) | SendEmailError::BadRequestException(_) => SendError::Rejected(code),
        SendEmailError::AccountSuspendedException(_)
        | SendEmailError::SendingPausedException(_)
        | SendEmailError::MailFromDomainNotVerifiedException(_)
        | SendEmailError::NotFoundException(_) => SendError::AccountRefused(code),
        _ if status == 429 || code.contains("Throttl") => SendError::Throttled(code),
        _ if (400..500).contains(&status) => SendError::AccountRefused(code),
        _ => SendError::Ambiguous(code),
    }
}
