//! The day's mails: the most valuable first, and never more, however many notifiers there are.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use local_cloud::{LocalCloud, Options};

use super::outbox::{Outbox, STAGES};
use crate::support::{notify, now, options, text};

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
    let mut outbox = Outbox::open(&cloud).await?;
    let today = now();
    write_four_per_category(&mut outbox, today).await?;

    notify(&cloud, today).await?;
    let expected = counts(&[
        ("onboarding sent", 4),
        ("product due daily_limit", 4),
        ("reengagement due daily_limit", 2),
        ("reengagement sent", 2),
    ]);
    ensure!(
        outcomes(&cloud).await? == expected,
        "{:?}",
        outcomes(&cloud).await?
    );
    notify(&cloud, today).await?;
    ensure!(
        outcomes(&cloud).await? == expected,
        "the same day went on: {:?}",
        outcomes(&cloud).await?
    );

    let tomorrow = today + DAY;
    notify(&cloud, tomorrow).await?;
    let expected = counts(&[
        ("onboarding sent", 4),
        ("product sent", 4),
        ("reengagement sent", 4),
    ]);
    ensure!(
        outcomes(&cloud).await? == expected,
        "{:?}",
        outcomes(&cloud).await?
    );

    let later = tomorrow + DAY;
    write_four_per_category(&mut outbox, later).await?;
    try_join_all((0..4).map(|_| notify(&cloud, later))).await?;
    let mails = cloud.sent_emails().await?.len();
    ensure!(
        mails <= 2 * LIMIT + LIMIT,
        "{mails} mails in three days of {LIMIT}"
    );
    ensure!(mails > 2 * LIMIT, "nothing was sent on the third day");
    let found = outcomes(&cloud).await?;
    ensure!(
        found
            .keys()
            .all(|outcome| outcome.ends_with("sent") || outcome.ends_with("due daily_limit")),
        "{found:?}"
    );
    Ok(())
}

/// Four notices of each category, the least valuable written first.
async fn write_four_per_category(outbox: &mut Outbox<'_>, at: Timestamp) -> Result<()> {
    for case in STAGES.into_iter().rev() {
        outbox
            .write(
                at,
                case,
                &[
                    "a@limit.example",
                    "b@limit.example",
                    "c@limit.example",
                    "d@limit.example",
                ],
            )
            .await?;
    }
    Ok(())
}

async fn outcomes(cloud: &LocalCloud) -> Result<BTreeMap<String, usize>> {
    let mut outcomes = BTreeMap::new();
    for notice in cloud.scan("NoticesTable").await? {
        let mut outcome = format!(
            "{} {}",
            text(&notice, "category")?,
            text(&notice, "status")?
        );
        if let Some(reason) = notice["reason"].as_str() {
            outcome = format!("{outcome} {reason}");
        }
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
