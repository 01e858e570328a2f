//! SES's side of the story: the events that it publishes about the mails that it took.

use std::time::Duration;

use anyhow::{Context, Result};
use local_cloud::{Call, LocalCloud};
use serde_json::{Value, json};

/// A mail that SES took, whether its sender came to know or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AcceptedEmail {
    pub message_id: String,
    pub notice_id: String,
    pub address: String,
}

impl AcceptedEmail {
    /// What SES took of a call; `None`: it was not asked, or refused.
    pub fn of(call: &Call) -> Result<Option<Self>> {
        let Some(answer) = call.accepted.as_ref().filter(|answer| answer.status == 200) else {
            return Ok(None);
        };
        Ok(Some(Self {
            message_id: answer.body["MessageId"]
                .as_str()
                .context("no message id")?
                .to_owned(),
            notice_id: notice_id(call)?,
            address: address(call)?,
        }))
    }

    /// SES's own part of the message id. MiniStack answers with the whole, `ID@HOST`, where SES has
    /// the id alone.
    pub fn id(&self) -> &str {
        self.message_id.split('@').next().unwrap_or_default()
    }

    /// An event of that kind about this mail.
    pub fn event(&self, configuration_set: &str, kind: &str) -> Value {
        let recipients = [json!({"emailAddress": self.address})];
        let at = "2026-11-23T12:00:00.000Z";
        json!({
            "eventType": kind,
            "mail": {
                "timestamp": at,
                "messageId": self.id(),
                "destination": [self.address],
                "tags": {"ses:configuration-set": [configuration_set], "notice_id": [self.notice_id]},
            },
            "delivery": {"timestamp": at, "recipients": [self.address]},
            "bounce": {"bounceType": "Permanent", "bouncedRecipients": recipients, "timestamp": at, "feedbackId": self.id()},
            "complaint": {"complainedRecipients": recipients, "timestamp": at, "feedbackId": self.id()},
        })
    }
}

/// The tag by which SES's events find the notice.
pub fn notice_id(call: &Call) -> Result<String> {
    let tags = call.request["EmailTags"].as_array().context("no tags")?;
    let tag = tags
        .iter()
        .find(|tag| tag["Name"] == "notice_id")
        .context("no notice_id")?;
    Ok(tag["Value"].as_str().context("no text")?.to_owned())
}

/// Whom a call wanted to write to.
pub fn address(call: &Call) -> Result<String> {
    Ok(call.request["Destination"]["ToAddresses"][0]
        .as_str()
        .context("no recipient")?
        .to_owned())
}

/// Lets EventBridge have the events, and waits until record-feedback has worked them off.
pub async fn publish(cloud: &LocalCloud, events: &[Value]) -> Result<()> {
    cloud.put_events("Email Event", events).await?;
    cloud
        .wait_until_queue_drained("FeedbackQueueUrl", Duration::from_mins(3), |_| {})
        .await
}
