//! The e-mails that MiniStack accepted.

use anyhow::Result;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::ministack::MiniStack;

/// An e-mail as the functions handed it over. MiniStack keeps neither its tags nor its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentEmail {
    /// SES's id of the message; the notice keeps it as `message_id`.
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
pub(crate) async fn sent(ministack: &MiniStack) -> Result<Vec<SentEmail>> {
    from_page(&ministack.page("/_ministack/ses/messages").await?)
}

fn from_page(page: &Value) -> Result<Vec<SentEmail>> {
    let accounts = page["messages"]
        .as_object()
        .into_iter()
        .flat_map(|accounts| accounts.values());
    let mut mails = Vec::new();
    for mail in accounts.filter_map(Value::as_array).flatten() {
        mails.push(MiniStackEmail::deserialize(mail)?.into());
    }
    mails.sort_by_key(|mail: &SentEmail| mail.sent_at);
    Ok(mails)
}

/// A mail in MiniStack's words.
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
    fn from(kept: MiniStackEmail) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds of this century fit"
        )]
        let sent_at =
            Timestamp::from_millisecond((kept.timestamp * 1000.0) as i64).unwrap_or_default();
        Self {
            message_id: kept.message_id,
            from: kept.source,
            to: kept.to.join(", "),
            subject: kept.subject,
            text: kept.body_text.unwrap_or_default(),
            html: kept.body_html.unwrap_or_default(),
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
        let mail = |subject: &str, timestamp: f64| {
            json!({
                "MessageId": format!("{subject}@email.amazonses.com"), "Source": "engage@example.com", "To": ["ada@example.com"],
                "CC": [], "BCC": [], "Subject": subject, "BodyText": "Hello", "BodyHtml": null, "Timestamp": timestamp, "Type": "v2.SendEmail"
            })
        };
        let page = json!({"messages": {"000000000000": [mail("second", 20.5), mail("first", 10.25)], "111111111111": []}});
        let mails = from_page(&page).unwrap();
        assert_eq!(
            mails
                .iter()
                .map(|mail| mail.subject.as_str())
                .collect::<Vec<_>>(),
            ["first", "second"]
        );
        assert_eq!(mails[0].sent_at, "1970-01-01T00:00:10.25Z".parse().unwrap());
        assert_eq!(
            (mails[0].to.as_str(), mails[0].html.as_str()),
            ("ada@example.com", "")
        );
    }
}
