//! The daily limit of e-mails: the highest priority is sent first, and concurrent notifiers do not
//! exceed the limit.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use local_cloud::{LocalCloud, Options};

use super::outbox::{Outbox, STAGE_PER_CATEGORY};
use crate::support::{notify, now, options, text_attribute};

const LIMIT: usize = 6;
const DAY: SignedDuration = SignedDuration::from_hours(24);

#[tokio::test(flavor = "multi_thread")]
async fn daily_limit_sends_the_highest_priority_first_and_the_rest_later() -> Result<()> {
    let options = Options {
        organizations: 1,
        ..options()
    }
    .parameter("DailySendLimit", "6")
    .parameter("SendCaps", "none");
    let cloud = LocalCloud::start(options).await?;
    let mut outbox = Outbox::new(&cloud).await?;
    let today = now();
    let tomorrow = today + DAY;
    let day_after_tomorrow = tomorrow + DAY;

    write_four_per_category(&mut outbox, today).await?;
    highest_priority_is_sent_first(&cloud, today).await?;
    rest_is_sent_the_next_day(&cloud, tomorrow).await?;
    write_four_per_category(&mut outbox, day_after_tomorrow).await?;
    concurrent_notifiers_keep_the_limit(&cloud, day_after_tomorrow).await
}

/// Writes four notices of each category, those of the lowest priority first.
async fn write_four_per_category(outbox: &mut Outbox<'_>, at: Timestamp) -> Result<()> {
    const ADDRESSES: [&str; 4] = [
        "a@limit.example",
        "b@limit.example",
        "c@limit.example",
        "d@limit.example",
    ];

    for case in STAGE_PER_CATEGORY.into_iter().rev() {
        outbox.write(at, case, &ADDRESSES).await?;
    }
    Ok(())
}

async fn highest_priority_is_sent_first(cloud: &LocalCloud, today: Timestamp) -> Result<()> {
    let expected = counts(&[
        ("onboarding sent", 4),
        ("product due daily_limit", 4),
        ("reengagement due daily_limit", 2),
        ("reengagement sent", 2),
    ]);

    for run in ["first", "second"] {
        notify(cloud, today).await?;
        let found = outcomes(cloud).await?;
        ensure!(found == expected, "{run} run of the day: {found:?}");
    }
    Ok(())
}

async fn rest_is_sent_the_next_day(cloud: &LocalCloud, tomorrow: Timestamp) -> Result<()> {
    notify(cloud, tomorrow).await?;

    let expected = counts(&[
        ("onboarding sent", 4),
        ("product sent", 4),
        ("reengagement sent", 4),
    ]);
    let found = outcomes(cloud).await?;
    ensure!(found == expected, "{found:?}");
    Ok(())
}

async fn concurrent_notifiers_keep_the_limit(cloud: &LocalCloud, day: Timestamp) -> Result<()> {
    try_join_all((0..4).map(|_| notify(cloud, day))).await?;

    let emails = cloud.sent_emails().await?.len();
    ensure!(
        emails <= 3 * LIMIT,
        "{emails} e-mails in three days with a limit of {LIMIT}"
    );
    ensure!(emails > 2 * LIMIT, "no e-mail was sent on the third day");
    let found = outcomes(cloud).await?;
    ensure!(
        found
            .keys()
            .all(|outcome| outcome.ends_with("sent") || outcome.ends_with("due daily_limit")),
        "{found:?}"
    );
    Ok(())
}

/// The number of notices by category, status and reason.
async fn outcomes(cloud: &LocalCloud) -> Result<BTreeMap<String, usize>> {
    let mut outcomes = BTreeMap::new();
    for notice in cloud.scan("NoticesTable").await? {
        let category = text_attribute(&notice, "category")?;
        let status = text_attribute(&notice, "status")?;
        let outcome = match notice["reason"].as_str() {
            Some(reason) => format!("{category} {status} {reason}"),
            None => format!("{category} {status}"),
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    Ok(outcomes)
}

fn counts(counts: &[(&str, usize)]) -> BTreeMap<String, usize> {
    counts
        .iter()
        .map(|(outcome, count)| ((*outcome).to_owned(), *count))
        .collect()
}
