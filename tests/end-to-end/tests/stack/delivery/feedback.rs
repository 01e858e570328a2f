//! SES's feedback: the events that it publishes about the e-mails that it accepted.

use std::time::Duration;

use anyhow::{Context, Result};
use local_cloud::{AwsCall, LocalCloud};
use serde_json::{Value, json};

use super::sent_call::{notice_id, recipient};

/// An e-mail that SES accepted, whether notify received the response or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AcceptedEmail {
    pub message_id: String,
    pub notice_id: String,
    pub address: String,
}

impl AcceptedEmail {
    /// The e-mail of a call; `None`: the call did not reach SES, or SES rejected it.
    pub fn from_call(call: &AwsCall) -> Result<Option<Self>> {
        let accepted = call.aws_response.as_ref();
        let Some(response) = accepted.filter(|response| response.status == 200) else {
            return Ok(None);
        };

        Ok(Some(Self {
            message_id: response.body["MessageId"]
                .as_str()
                .context("no message id")?
                .to_owned(),
            notice_id: notice_id(call)?,
            address: recipient(call)?.to_owned(),
        }))
    }

    /// The message id as SES has it. MiniStack returns `ID@HOST` where SES returns the id alone.
    pub fn ses_id(&self) -> &str {
        self.message_id.split('@').next().unwrap_or_default()
    }

    /// An event of SES about this e-mail, for instance of kind `Bounce`.
    pub fn feedback_event(&self, configuration_set: &str, kind: &str) -> Value {
        let recipients = [json!({"emailAddress": self.address})];
        let at = "2026-11-23T12:00:00.000Z";

        json!({
            "eventType": kind,
            "mail": {
                "timestamp": at,
                "messageId": self.ses_id(),
                "destination": [self.address],
                "tags": {
                    "ses:configuration-set": [configuration_set],
                    "notice_id": [self.notice_id],
                },
            },
            "delivery": {"timestamp": at, "recipients": [self.address]},
            "bounce": {
                "bounceType": "Permanent",
                "bouncedRecipients": recipients,
                "timestamp": at,
                "feedbackId": self.ses_id(),
            },
            "complaint": {
                "complainedRecipients": recipients,
                "timestamp": at,
                "feedbackId": self.ses_id(),
            },
        })
    }
}

/// Publishes events on EventBridge and waits until record-feedback has processed them.
pub async fn publish(cloud: &LocalCloud, events: &[Value]) -> Result<()> {
    cloud.put_events("Email Event", events).await?;

    cloud
        .wait_until_queue_drained("FeedbackQueueUrl", Duration::from_mins(3), |_| {})
        .await
}
