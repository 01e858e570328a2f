//! SES, and what its answers prove.

use aws_sdk_sesv2::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag},
};
use content::Mail;
use engagement::{EmailAddress, Notice};

/// Sends mail through SES, without ever repeating a call by itself: the client has to be built with
/// retries off.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: Client,
    from: String,
    reply_to: EmailAddress,
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
    /// Not accepted, and neither would any other: the account, the sender or the permission is at
    /// fault.
    #[error("SES accepts no mail from this account ({0})")]
    AccountRefused(String),
    /// Nobody knows whether it was accepted. It must not be sent again blindly.
    #[error("SES gave no clear answer ({0})")]
    Ambiguous(String),
}

impl Mailer {
    /// A mailer that writes `from` an address that SES has verified, with or without a display
    /// name.
    pub fn new(
        client: Client,
        from: String,
        reply_to: EmailAddress,
        configuration_set: String,
    ) -> Self {
        Self {
            client,
            from,
            reply_to,
            configuration_set,
        }
    }

    /// Mails in a second that SES allows the account. When SES does not say, as few as it allows a
    /// new account: one. `None`: SES does not answer, so no mail should be begun.
    pub async fn max_send_rate(&self) -> Option<f64> {
        const OF_A_NEW_ACCOUNT: f64 = 1.0;
        match self.client.get_account().send().await {
            Ok(account) => Some(account.send_quota().map_or(
                OF_A_NEW_ACCOUNT,
                aws_sdk_sesv2::types::SendQuota::max_send_rate,
            )),
            Err(error @ (SdkError::DispatchFailure(_) | SdkError::TimeoutError(_))) => {
                tracing::warn!(error_type = "mail_unavailable", error = %error, "SES does not answer; nothing is sent");
                None
            }
            Err(error) => {
                let code = error.code().unwrap_or("no answer");
                tracing::warn!(
                    error_type = "mail_unavailable",
                    error = code,
                    "SES does not say how fast it takes mails; one a second"
                );
                Some(OF_A_NEW_ACCOUNT)
            }
        }
    }

    /// Hands one mail to SES and returns SES's message id.
    pub async fn send(
        &self,
        notice: &Notice,
        to: &EmailAddress,
        mail: &Mail,
    ) -> Result<String, SendError> {
        let unusable = |_| SendError::Rejected("message incomplete".to_owned());
        let text = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let body = Body::builder()
            .text(text(&mail.text).map_err(unusable)?)
            .html(text(&mail.html).map_err(unusable)?)
            .build();
        let mut message = Message::builder()
            .subject(text(&mail.subject).map_err(unusable)?)
            .body(body);
        for header in &mail.headers {
            message = message.headers(
                MessageHeader::builder()
                    .name(header.name())
                    .value(header.value())
                    .build()
                    .map_err(unusable)?,
            );
        }
        let tag = |name: &str, value: String| {
            MessageTag::builder()
                .name(name)
                .value(value)
                .build()
                .map_err(unusable)
        };
        let answer = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .reply_to_addresses(self.reply_to.expose())
            .destination(Destination::builder().to_addresses(to.expose()).build())
            .content(EmailContent::builder().simple(message.build()).build())
            .configuration_set_name(&self.configuration_set)
            .email_tags(tag("notice_id", notice.id().to_string())?)
            .email_tags(tag("campaign", notice.campaign.to_string())?)
            .email_tags(tag("step", notice.step.to_string())?)
            .email_tags(tag("stage", notice.stage.to_string())?)
            .send()
            .await
            .map_err(|error| judge(&error))?;
        answer
            .message_id
            .ok_or_else(|| SendError::Ambiguous("no message id".to_owned()))
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
        SendEmailError::TooManyRequestsException(_) | SendEmailError::LimitExceededException(_) => {
            SendError::Throttled(code)
        }
        SendEmailError::MessageRejected(_) | SendEmailError::BadRequestException(_)
            if is_about_account(answer.err().message()) =>
        {
            SendError::AccountRefused(format!("{code}: not verified, or switched off"))
        }
        SendEmailError::MessageRejected(_) | SendEmailError::BadRequestException(_) => {
            SendError::Rejected(code)
        }
        SendEmailError::AccountSuspendedException(_)
        | SendEmailError::SendingPausedException(_)
        | SendEmailError::MailFromDomainNotVerifiedException(_)
        | SendEmailError::NotFoundException(_) => SendError::AccountRefused(code),
        _ if status == 429 || code.contains("Throttl") => SendError::Throttled(code),
        _ if (400..500).contains(&status) => SendError::AccountRefused(code),
        _ => SendError::Ambiguous(code),
    }
}

/// Whether SES rejects a mail for what would hold for any other: the sender is not verified, nor
/// is, while the account is in SES's sandbox, the recipient ("Email address is not verified. The
/// following identities failed the check in region ..."); or sending is switched off. SES may say
/// so with the code of a message that is itself at fault. Its words hold addresses, so they go
/// nowhere.
fn is_about_account(message: Option<&str>) -> bool {
    let message = message.unwrap_or_default().to_lowercase();
    ["not verified", "paused", "disabled"]
        .iter()
        .any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use aws_sdk_sesv2::{
        config::http::HttpResponse,
        error::{ConnectorError, ErrorMetadata},
        types::error::{AccountSuspendedException, MessageRejected, TooManyRequestsException},
    };

    use super::*;

    fn answer(status: u16, error: SendEmailError) -> SdkError<SendEmailError> {
        SdkError::service_error(
            error,
            HttpResponse::new(status.try_into().unwrap(), "".into()),
        )
    }

    fn unnamed(status: u16, code: &str) -> SdkError<SendEmailError> {
        answer(
            status,
            SendEmailError::generic(ErrorMetadata::builder().code(code).build()),
        )
    }

    #[test]
    fn only_a_proof_of_refusal_is_taken_for_one() {
        let rejected = answer(
            400,
            SendEmailError::MessageRejected(MessageRejected::builder().build()),
        );
        assert!(matches!(judge(&rejected), SendError::Rejected(_)));
        let message = "Email address is not verified. The following identities failed the check in region US-EAST-1: e@x.example";
        let meta = ErrorMetadata::builder()
            .code("MessageRejected")
            .message(message)
            .build();
        let unverified = answer(
            400,
            SendEmailError::MessageRejected(MessageRejected::builder().meta(meta).build()),
        );
        let refused = judge(&unverified);
        assert!(
            matches!(refused, SendError::AccountRefused(_)) && !refused.to_string().contains('@'),
            "{refused}"
        );
        let slow_down = answer(
            429,
            SendEmailError::TooManyRequestsException(TooManyRequestsException::builder().build()),
        );
        assert!(matches!(judge(&slow_down), SendError::Throttled(_)));
        let suspended = answer(
            400,
            SendEmailError::AccountSuspendedException(AccountSuspendedException::builder().build()),
        );
        assert!(matches!(judge(&suspended), SendError::AccountRefused(_)));
        assert!(matches!(
            judge(&unnamed(400, "ThrottlingException")),
            SendError::Throttled(_)
        ));
        assert!(matches!(
            judge(&unnamed(403, "AccessDeniedException")),
            SendError::AccountRefused(_)
        ));
    }

    #[test]
    fn whatever_proves_nothing_is_ambiguous() {
        assert!(matches!(
            judge(&unnamed(500, "InternalFailure")),
            SendError::Ambiguous(_)
        ));
        assert!(matches!(
            judge(&unnamed(503, "ServiceUnavailable")),
            SendError::Ambiguous(_)
        ));
        assert!(matches!(
            judge(&SdkError::timeout_error("late")),
            SendError::Ambiguous(_)
        ));
        let broken = SdkError::dispatch_failure(ConnectorError::io("connection reset".into()));
        assert!(matches!(judge(&broken), SendError::Ambiguous(_)));
        let cut_off = SdkError::response_error(
            "cut off",
            HttpResponse::new(200.try_into().unwrap(), "".into()),
        );
        assert!(matches!(judge(&cut_off), SendError::Ambiguous(_)));
    }
}
