//! Crashes around an e-mail: it is sent at most once, and its notice gets its final status.

use anyhow::{Context, Result};
use engagement::Notice;
use jiff::Timestamp;
use local_cloud::{AwsCall, LocalCloud, Options};

use super::{
    notify::crash_notify,
    recipients::{
        SentEmail, crash_preferences, crash_record_feedback,
        unreadable_feedback_leaves_a_redacted_dead_letter,
    },
};
use crate::{
    delivery::{
        feedback::AcceptedEmail,
        outbox::{Outbox, STAGE_PER_CATEGORY},
        sent_call::notice_id,
    },
    support::{notify, now, options},
};

#[tokio::test(flavor = "multi_thread")]
async fn crash_at_any_side_effect_sends_an_email_at_most_once_and_settles_its_notice() -> Result<()>
{
    let options = Options {
        organizations: 1,
        fault_proxy: true,
        ..options()
    }
    .parameter("DailySendLimit", "5000");
    let cloud = LocalCloud::start(options).await?;
    let as_of = now();
    let mut outbox = Outbox::new(&cloud).await?;

    crash_notify(&cloud, &mut outbox, as_of).await?;
    let emails = send_emails(&cloud, &mut outbox, as_of, 12).await?;
    let (for_feedback, for_preferences) = emails.split_at(7);
    crash_record_feedback(&cloud, for_feedback).await?;
    unreadable_feedback_leaves_a_redacted_dead_letter(&cloud).await?;
    crash_preferences(&cloud, for_preferences).await
}

/// Sends e-mails to `count` addresses. `Err`: SES did not accept all of them.
async fn send_emails(
    cloud: &LocalCloud,
    outbox: &mut Outbox<'_>,
    as_of: Timestamp,
    count: usize,
) -> Result<Vec<SentEmail>> {
    let addresses: Vec<String> = (0..count)
        .map(|number| format!("some{number}@crowd.example"))
        .collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let notices = outbox
        .write(as_of, STAGE_PER_CATEGORY[0], &addresses)
        .await?;
    notify(cloud, as_of).await?;

    let calls = cloud.fault_proxy()?.calls_to("ses.SendEmail");
    notices
        .into_iter()
        .map(|notice| sent_email(notice, &calls))
        .collect()
}

fn sent_email(notice: Notice, calls: &[AwsCall]) -> Result<SentEmail> {
    let call = calls
        .iter()
        .find(|call| notice_id(call).is_ok_and(|id| id == notice.id().to_string()))
        .context("an e-mail was not sent")?
        .clone();
    let email = AcceptedEmail::from_call(&call)?.context("SES did not accept an e-mail")?;

    Ok(SentEmail {
        notice,
        email,
        call,
    })
}
