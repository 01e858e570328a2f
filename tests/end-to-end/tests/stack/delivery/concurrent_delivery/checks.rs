//! What must hold for the calls to SES and for the notices after SES's feedback.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use engagement::FrequencyCaps;
use jiff::{SignedDuration, Timestamp};
use local_cloud::{AwsCall, CallOutcome, LocalCloud};

use crate::{
    delivery::{
        feedback::AcceptedEmail,
        sent_call::{notice_id, notice_tag, recipient},
    },
    support::text_attribute,
};

/// A call to SES, and the time as of which its notifier ran.
pub struct SendAttempt {
    pub call: AwsCall,
    pub as_of: Timestamp,
}

/// The `notice_id` tags of the e-mails that bounced, and of those whose recipients complained.
#[derive(Default)]
pub struct Feedback {
    pub bounced: BTreeSet<String>,
    pub complained: BTreeSet<String>,
}

/// SES accepted each e-mail at most once, and was called again only after it had rejected a call.
pub fn assert_no_duplicates(attempts: &[SendAttempt], accepted: &[AcceptedEmail]) -> Result<()> {
    let distinct: BTreeSet<_> = accepted.iter().map(|email| &email.notice_id).collect();
    ensure!(
        distinct.len() == accepted.len(),
        "{} e-mails for {} notices",
        accepted.len(),
        distinct.len()
    );

    let mut possibly_accepted = BTreeSet::new();
    for SendAttempt { call, .. } in attempts {
        let notice = notice_id(call)?;
        ensure!(
            !possibly_accepted.contains(&notice),
            "SES was called again although it may have accepted the e-mail"
        );
        if may_have_been_accepted(call) {
            possibly_accepted.insert(notice);
        }
    }
    Ok(())
}

/// Computed from the calls to SES, not from the contacts table.
pub fn assert_caps(attempts: &[SendAttempt]) -> Result<()> {
    ensure!(
        FrequencyCaps::default() == "1/3d,4/30d".parse()?,
        "the test assumes other caps than the default"
    );

    let mut times_by_address = BTreeMap::<&str, Vec<Timestamp>>::new();
    for SendAttempt { call, as_of } in attempts
        .iter()
        .filter(|attempt| may_have_been_accepted(&attempt.call))
    {
        times_by_address
            .entry(recipient(call)?)
            .or_default()
            .push(*as_of);
    }

    for (address, times) in times_by_address {
        for (cap, days) in [(1, 3), (4, 30)] {
            let exceeds_cap = times.windows(cap + 1).any(|times| {
                times[cap].duration_since(times[0]) < SignedDuration::from_hours(24 * days)
            });
            ensure!(
                !exceeds_cap,
                "{address} got more than {cap} e-mails in {days} days: {times:?}"
            );
        }
    }
    Ok(())
}

fn may_have_been_accepted(call: &AwsCall) -> bool {
    !matches!(
        &call.outcome,
        CallOutcome::Responded(response) if (400..500).contains(&response.status)
    )
}

/// A notice whose e-mail SES accepted is `delivered`, `bounced` or `complained`. Any other notice
/// is `skipped`, `failed` or `unknown`.
pub async fn assert_final_statuses(
    cloud: &LocalCloud,
    accepted: &[AcceptedEmail],
    feedback: &Feedback,
) -> Result<()> {
    let accepted: BTreeMap<_, _> = accepted
        .iter()
        .map(|email| (&email.notice_id, email.ses_id()))
        .collect();

    for notice in cloud.scan("NoticesTable").await? {
        let tag = notice_tag(&notice)?;
        let expected: &[&str] = match accepted.get(&tag) {
            None => &["skipped", "failed", "unknown"],
            Some(_) if feedback.bounced.contains(&tag) => &["bounced"],
            Some(_) if feedback.complained.contains(&tag) => &["complained"],
            Some(_) => &["delivered"],
        };
        let status = text_attribute(&notice, "status")?;
        ensure!(
            expected.contains(&status.as_str()),
            "expected {expected:?}: {notice}"
        );
        if let Some(id) = accepted.get(&tag) {
            ensure!(
                text_attribute(&notice, "message_id")?.starts_with(id),
                "expected message id {id}: {notice}"
            );
        }
    }

    assert_suppressed_contacts(cloud, feedback).await
}

async fn assert_suppressed_contacts(cloud: &LocalCloud, feedback: &Feedback) -> Result<()> {
    let contacts = cloud.scan("ContactsTable").await?;
    let count = |attribute: &str| {
        contacts
            .iter()
            .filter(|contact| !contact[attribute].is_null())
            .count()
    };

    let (hard_bounces, complaints) = (count("hard_bounced_at"), count("complained_at"));
    ensure!(
        hard_bounces > 0 && hard_bounces <= feedback.bounced.len(),
        "{hard_bounces} contacts with a hard bounce"
    );
    ensure!(
        complaints > 0 && complaints <= feedback.complained.len(),
        "{complaints} contacts with a complaint"
    );
    Ok(())
}
