//! Reads the e-mails that MiniStack accepted.

use anyhow::Result;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::ministack::MiniStack;

/// An e-mail that a function sent. MiniStack does not store its tags and headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentEmail {
    /// The message id that SES assigned; the notice stores it as `message_id`.
    pub message_id: String,
    /// The sender.
    pub from: String,
    /// The recipient.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// When MiniStack accepted it.
    pub sent_at: Timestamp,
}

/// All e-mails, oldest first.
pub(crate) async fn list(ministack: &MiniStack) -> Result<Vec<SentEmail>> {
    from_page(&ministack.get_admin_json("/_ministack/ses/messages").await?)
}

fn from_page(page: &Value) -> Result<Vec<SentEmail>> {
    let accounts = page["messages"]
        .as_object()
        .into_iter()
        .flat_map(|accounts| accounts.values());

    let mut emails = Vec::new();
    for email in accounts.filter_map(Value::as_array).flatten() {
        emails.push(MiniStackEmail::deserialize(email)?.into());
    }
    emails.sort_by_key(|email: &SentEmail| email.sent_at);

    Ok(emails)
}

/// An e-mail in MiniStack's format.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MiniStackEmail {
    message_id: String,
    source: String,
    to: Vec<String>,
    subject: String,
    body_text: Option<String>,
    body_html: Option<String>,
    timestamp: f64,
}

impl From<MiniStackEmail> for SentEmail {
    fn from(email: MiniStackEmail) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the milliseconds of a present-day time stamp fit in an i64"
        )]
        let sent_at =
            Timestamp::from_millisecond((email.timestamp * 1000.0) as i64).unwrap_or_default();

        Self {
            message_id: email.message_id,
            from: email.source,
            to: email.to.join(", "),
            subject: email.subject,
            text: email.body_text.unwrap_or_default(),
            html: email.body_html.unwrap_or_default(),
            sent_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn emails_of_all_accounts_are_sorted_oldest_first() {
        let email = |subject: &str, timestamp: f64| {
            json!({
                "MessageId": format!("{subject}@email.amazonses.com"),
                "Source": "engage@example.com",
                "To": ["ada@example.com"],
                "CC": [],
                "BCC": [],
                "Subject": subject,
                "BodyText": "Hello",
                "BodyHtml": null,
                "Timestamp": timestamp,
                "Type": "v2.SendEmail"
            })
        };
        let page = json!({"messages": {
            "000000000000": [email("second", 20.5), email("first", 10.25)],
            "111111111111": []
        }});

        let emails = from_page(&page).unwrap();

        assert_eq!(
            emails
                .iter()
                .map(|email| email.subject.as_str())
                .collect::<Vec<_>>(),
            ["first", "second"]
        );
        assert_eq!(
            emails[0].sent_at,
            "1970-01-01T00:00:10.25Z".parse().unwrap()
        );
        assert_eq!(
            (emails[0].to.as_str(), emails[0].html.as_str()),
            ("ada@example.com", "")
        );
    }
}
