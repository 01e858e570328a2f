//! Why SES did not confirm an e-mail, and whether that proves that SES did not accept it.

use aws_sdk_sesv2::{
    error::{ProvideErrorMetadata, SdkError},
    operation::send_email::SendEmailError,
};

/// SES did not confirm an e-mail. Each variant holds SES's error code or the state of the
/// connection, and nothing of the e-mail.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Not accepted: too many requests. The same e-mail may be sent later.
    #[error("SES throttled the request ({0})")]
    Throttled(String),
    /// Not accepted and never will be: the message is invalid.
    #[error("SES rejected the message ({0})")]
    Rejected(String),
    /// Not accepted, and no other e-mail would be: the account, the sender or the permission is the
    /// cause.
    #[error("SES rejected the account or the sender ({0})")]
    AccountRefused(String),
    /// It is not known whether SES accepted the e-mail. It must not be sent again.
    #[error("SES did not confirm the e-mail ({0})")]
    Ambiguous(String),
}

impl SendError {
    /// Classifies a failed call by what it proves. Anything that does not prove that SES did not
    /// accept the e-mail is ambiguous.
    pub fn classify(error: &SdkError<SendEmailError>) -> Self {
        let SdkError::ServiceError(response) = error else {
            return match error {
                SdkError::ConstructionFailure(_) => Self::Rejected("request not built".to_owned()),
                SdkError::TimeoutError(_) => Self::Ambiguous("time-out".to_owned()),
                SdkError::DispatchFailure(_) => Self::Ambiguous("connection lost".to_owned()),
                _ => Self::Ambiguous("unreadable response".to_owned()),
            };
        };

        let status = response.raw().status().as_u16();
        let error = response.err();
        let code = error.code().unwrap_or("no code").to_owned();
        match error {
            SendEmailError::TooManyRequestsException(_)
            | SendEmailError::LimitExceededException(_) => Self::Throttled(code),
            SendEmailError::MessageRejected(_) | SendEmailError::BadRequestException(_)
                if is_account_error(error.message()) =>
            {
                Self::AccountRefused(format!("{code}: not verified, or sending is disabled"))
            }
            SendEmailError::MessageRejected(_) | SendEmailError::BadRequestException(_) => {
                Self::Rejected(code)
            }
            SendEmailError::AccountSuspendedException(_)
            | SendEmailError::SendingPausedException(_)
            | SendEmailError::MailFromDomainNotVerifiedException(_)
            | SendEmailError::NotFoundException(_) => Self::AccountRefused(code),
            _ if status == 429 || code.contains("Throttl") => Self::Throttled(code),
            _ if (400..500).contains(&status) => Self::AccountRefused(code),
            _ => Self::Ambiguous(code),
        }
    }
}

/// Whether SES rejects a message for a reason that holds for every other message too: the sender is
/// not verified, sending is disabled, or the account is in the SES sandbox and the recipient is not
/// verified ("Email address is not verified. The following identities failed the check in region
/// ..."). SES reports these with the same error codes as an invalid message. The text contains
/// addresses, so it is not logged.
fn is_account_error(message: Option<&str>) -> bool {
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

    #[test]
    fn definite_rejections_are_not_ambiguous() {
        let rejected = response(
            400,
            SendEmailError::MessageRejected(MessageRejected::builder().build()),
        );
        assert!(matches!(
            SendError::classify(&rejected),
            SendError::Rejected(_)
        ));

        let meta = ErrorMetadata::builder()
            .code("MessageRejected")
            .message(concat!(
                "Email address is not verified. The following identities failed the check ",
                "in region US-EAST-1: e@x.example"
            ))
            .build();
        let unverified = response(
            400,
            SendEmailError::MessageRejected(MessageRejected::builder().meta(meta).build()),
        );
        let error = SendError::classify(&unverified);
        assert!(
            matches!(error, SendError::AccountRefused(_)) && !error.to_string().contains('@'),
            "{error}"
        );

        let throttled = response(
            429,
            SendEmailError::TooManyRequestsException(TooManyRequestsException::builder().build()),
        );
        assert!(matches!(
            SendError::classify(&throttled),
            SendError::Throttled(_)
        ));

        let suspended = response(
            400,
            SendEmailError::AccountSuspendedException(AccountSuspendedException::builder().build()),
        );
        assert!(matches!(
            SendError::classify(&suspended),
            SendError::AccountRefused(_)
        ));

        let throttled = generic_error(400, "ThrottlingException");
        assert!(matches!(
            SendError::classify(&throttled),
            SendError::Throttled(_)
        ));

        let denied = generic_error(403, "AccessDeniedException");
        assert!(matches!(
            SendError::classify(&denied),
            SendError::AccountRefused(_)
        ));
    }

    #[test]
    fn timeouts_and_server_errors_are_ambiguous() {
        let errors = [
            generic_error(500, "InternalFailure"),
            generic_error(503, "ServiceUnavailable"),
            SdkError::timeout_error("late"),
            SdkError::dispatch_failure(ConnectorError::io("connection reset".into())),
            SdkError::response_error("incomplete", http_response(200)),
        ];
        for error in errors {
            assert!(
                matches!(SendError::classify(&error), SendError::Ambiguous(_)),
                "{error:?}"
            );
        }
    }

    fn generic_error(status: u16, code: &str) -> SdkError<SendEmailError> {
        let metadata = ErrorMetadata::builder().code(code).build();
        response(status, SendEmailError::generic(metadata))
    }

    fn response(status: u16, error: SendEmailError) -> SdkError<SendEmailError> {
        SdkError::service_error(error, http_response(status))
    }

    fn http_response(status: u16) -> HttpResponse {
        HttpResponse::new(status.try_into().unwrap(), "".into())
    }
}
