//! Which users of an organization get the e-mail of a step.

use std::collections::BTreeSet;

use crate::{campaign::Campaign, notice::Recipient, snapshot::User};

/// The unarchived users with an e-mail address whose role is in the audience of the campaign, at
/// most `max_recipients`. If there is none, the oldest unarchived user with an e-mail address.
///
/// Ordered by age, the oldest user first. Each e-mail address occurs once.
pub(super) fn select_recipients(campaign: &Campaign, users: &[User]) -> Vec<Recipient> {
    let mut reachable: Vec<&User> = users
        .iter()
        .filter(|user| !user.archived && user.email.is_some())
        .collect();
    reachable.sort_by_key(|user| user.creation_order());

    let in_audience = |user: &&User| {
        user.role
            .is_some_and(|role| campaign.audience.contains(&role))
    };
    let limit = if reachable.iter().any(in_audience) {
        reachable.retain(in_audience);
        campaign.max_recipients
    } else {
        campaign.max_recipients.min(1)
    };

    let mut seen = BTreeSet::new();
    reachable
        .into_iter()
        .filter_map(|user| {
            let address = user.email.clone()?;
            seen.insert(address.canonical()).then(|| Recipient {
                user_id: user.id.clone(),
                first_name: user.first_name.clone(),
                address,
            })
        })
        .take(limit)
        .collect()
}
