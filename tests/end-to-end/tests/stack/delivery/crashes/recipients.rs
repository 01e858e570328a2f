//! Crashes of record-feedback and preferences.

use anyhow::{Context, Result, ensure};
use engagement::Notice;
use local_cloud::{AwsCall, LocalCloud};
use serde_json::{Value, json};

use super::{
    crash_point::{CrashPoint, CrashTiming, invoke_and_crash_at, single_record_batch},
    items::{contact_item, notice_item},
};
use crate::{
    delivery::{feedback::AcceptedEmail, sent_call::unsubscribe_header_url},
    support::{invoke_ok, read_event},
};

/// An e-mail that SES accepted, with its notice and its call.
pub struct SentEmail {
    pub notice: Notice,
    pub email: AcceptedEmail,
    pub call: AwsCall,
}

/// Records a bounce of another e-mail for each crash point.
pub async fn crash_record_feedback(cloud: &LocalCloud, emails: &[SentEmail]) -> Result<()> {
    let configuration_set = cloud.output("ConfigurationSet")?;
    let mut crashes = 0;

    for (crash_point, sent) in CrashPoint::all().zip(emails) {
        let bounce = sent.email.feedback_event(configuration_set, "Bounce");
        let body = json!({"source": "aws.ses", "detail": bounce});
        let batch = single_record_batch("record-feedback.json", &body.to_string())?;
        let crashed_at =
            invoke_and_crash_at(cloud, "RecordFeedbackFunction", &batch, crash_point).await?;
        for _ in 0..2 {
            let response = invoke_ok(cloud, "RecordFeedbackFunction", &batch).await?;
            ensure!(response == json!({"batchItemFailures": []}), "{response}");
        }

        let notice = notice_item(cloud, &sent.notice).await?;
        let contact = contact_item(cloud, &sent.notice).await?;
        let case = format!("{crash_point:?} of {crashed_at:?}: {notice} {contact}");
        ensure!(
            notice["status"] == "bounced" && notice["reason"] == "hard_bounce",
            "{case}"
        );
        ensure!(
            contact["hard_bounced_at"] == "2026-11-23T12:00:00Z"
                && contact["mails"] == 1
                && contact["version"] == 2,
            "{case}"
        );

        if crashed_at.is_none() {
            break;
        }
        crashes += 1;
    }

    ensure!(crashes == 4, "record-feedback crashed {crashes} times");
    Ok(())
}

pub async fn unreadable_feedback_leaves_a_redacted_dead_letter(cloud: &LocalCloud) -> Result<()> {
    let batch = single_record_batch("record-feedback.json", "someone@crowd.example")?;
    for timing in [CrashTiming::Before, CrashTiming::After] {
        let crash_point = CrashPoint {
            effect_index: 0,
            timing,
        };
        invoke_and_crash_at(cloud, "RecordFeedbackFunction", &batch, crash_point)
            .await?
            .context("no dead letter was sent")?;
    }
    invoke_ok(cloud, "RecordFeedbackFunction", &batch).await?;

    // One dead letter is from the run that crashed after sending it, one from the last run.
    let dead_letters = cloud.messages("FeedbackDeadLetterQueueUrl").await?;
    ensure!(
        dead_letters.len() == 2 && dead_letters[0].body == dead_letters[1].body,
        "expected two equal dead letters: {dead_letters:?}"
    );
    ensure!(
        !dead_letters[0].body.contains("someone"),
        "{dead_letters:?}"
    );
    Ok(())
}

/// Unsubscribes another recipient for each crash point.
pub async fn crash_preferences(cloud: &LocalCloud, emails: &[SentEmail]) -> Result<()> {
    let mut crashes = 0;

    for (crash_point, sent) in CrashPoint::all().zip(emails) {
        let request = one_click_request(&sent.call)?;
        let crashed_at =
            invoke_and_crash_at(cloud, "PreferencesFunction", &request, crash_point).await?;
        for _ in 0..2 {
            let response = invoke_ok(cloud, "PreferencesFunction", &request).await?;
            ensure!(response["statusCode"] == 200, "{response}");
        }

        let contact = contact_item(cloud, &sent.notice).await?;
        let case = format!("{crash_point:?} of {crashed_at:?}: {contact}");
        ensure!(
            contact["unsubscribed_onboarding"].is_string() && contact["unsubscribed_all"].is_null(),
            "{case}"
        );
        ensure!(contact["mails"] == 1, "{case}");

        if crashed_at.is_none() {
            break;
        }
        crashes += 1;
    }

    ensure!(crashes == 2, "preferences crashed {crashes} times");
    Ok(())
}

/// The request of an e-mail client that unsubscribes by the header of a sent e-mail.
fn one_click_request(call: &AwsCall) -> Result<Value> {
    let url = unsubscribe_header_url(call)?;
    let token = url
        .path_segments()
        .and_then(|mut segments| segments.next_back())
        .context("no token")?;

    let mut request = read_event("preferences-one-click.json")?;
    request["rawPath"] = json!(format!("/unsubscribe/{token}"));
    request["requestContext"]["http"]["path"] = request["rawPath"].clone();
    request["pathParameters"]["token"] = json!(token);
    Ok(request)
}
