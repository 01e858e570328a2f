//! Feedback: what the mail service tells of a mail after it has taken it, in any order and more
//! than once.

use jiff::Timestamp;

use crate::notice::{NoticeReason, NoticeStatus};

/// What became of the mail of a notice, as one event tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// Where it takes the notice, unless more is known already.
    pub status: NoticeStatus,
    /// Why there.
    pub reason: Option<NoticeReason>,
    /// SES's id of the message.
    pub message_id: Option<String>,
    /// When it happened.
    pub at: Timestamp,
}

/// What can become of a mail that was handed to SES.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum MailEvent {
    /// SES accepted it and will try to deliver it.
    Sent,
    /// It is not delivered yet; SES goes on trying.
    Delayed,
    /// The recipient's mail server took it.
    Delivered,
    /// SES accepted it and could not build it.
    RenderingFailed,
    /// SES accepted it and found a virus in it.
    Rejected,
    /// The recipient's mail server refused it.
    Bounced(Bounce),
    /// The recipient called it spam.
    Complained,
}

/// For how long a mail server refuses an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, strum::EnumIter)]
pub enum Bounce {
    /// SES cannot tell.
    #[default]
    Undetermined,
    /// For a time, perhaps.
    Soft,
    /// For good.
    Hard,
}

impl Feedback {
    /// The feedback of an event.
    pub fn new(event: MailEvent, message_id: Option<String>, at: Timestamp) -> Self {
        let (status, reason) = event.outcome();
        Self {
            status,
            reason,
            message_id,
            at,
        }
    }

    /// Its place in the order of outcomes, at least 1. A notice takes feedback of a higher rank
    /// than it has, and no other: so it ends with the highest, whatever came first and however
    /// often.
    ///
    /// Stored with notices, so ranks are never renumbered. What a notifier says of a mail (due,
    /// claimed, unknown, failed, skipped) is worth less than any feedback, which proves that SES
    /// had the mail.
    pub fn rank(&self) -> u8 {
        match (self.status, self.reason) {
            (NoticeStatus::Sent, Some(NoticeReason::DeliveryDelayed)) => 20,
            (NoticeStatus::Delivered, _) => 30,
            (NoticeStatus::Failed, Some(NoticeReason::RenderingFailure)) => 40,
            (NoticeStatus::Failed, _) => 41,
            (NoticeStatus::Bounced, Some(NoticeReason::HardBounce)) => 52,
            (NoticeStatus::Bounced, Some(NoticeReason::SoftBounce)) => 51,
            (NoticeStatus::Bounced, _) => 50,
            (NoticeStatus::Complained, _) => 60,
            _ => 10,
        }
    }
}

impl MailEvent {
    fn outcome(self) -> (NoticeStatus, Option<NoticeReason>) {
        match self {
            Self::Sent => (NoticeStatus::Sent, None),
            Self::Delayed => (NoticeStatus::Sent, Some(NoticeReason::DeliveryDelayed)),
            Self::Delivered => (NoticeStatus::Delivered, None),
            Self::RenderingFailed => (NoticeStatus::Failed, Some(NoticeReason::RenderingFailure)),
            Self::Rejected => (NoticeStatus::Failed, Some(NoticeReason::ContentRejected)),
            Self::Bounced(Bounce::Undetermined) => (
                NoticeStatus::Bounced,
                Some(NoticeReason::UndeterminedBounce),
            ),
            Self::Bounced(Bounce::Soft) => (NoticeStatus::Bounced, Some(NoticeReason::SoftBounce)),
            Self::Bounced(Bounce::Hard) => (NoticeStatus::Bounced, Some(NoticeReason::HardBounce)),
            Self::Complained => (NoticeStatus::Complained, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};
    use strum::IntoEnumIterator;

    use super::*;

    /// Every event, the least telling first.
    fn all() -> Vec<MailEvent> {
        let bounces = Bounce::iter().map(MailEvent::Bounced);
        let others = MailEvent::iter().filter(|event| !matches!(event, MailEvent::Bounced(_)));
        let mut all: Vec<MailEvent> = others.chain(bounces).collect();
        all.sort_by_key(|event| feedback(*event).rank());
        all
    }

    fn feedback(event: MailEvent) -> Feedback {
        Feedback::new(event, None, Timestamp::UNIX_EPOCH)
    }

    /// Where a notice ends that takes these events one after the other.
    fn end(events: &[MailEvent]) -> Option<(NoticeStatus, Option<NoticeReason>)> {
        let mut present: Option<Feedback> = None;
        for feedback in events.iter().map(|event| feedback(*event)) {
            if present
                .as_ref()
                .is_none_or(|present| present.rank() < feedback.rank())
            {
                present = Some(feedback);
            }
        }
        present.map(|present| (present.status, present.reason))
    }

    #[test]
    fn outcomes_are_in_one_order_without_ties() {
        let order: Vec<String> = all()
            .into_iter()
            .map(|event| format!("{} {event:?}", feedback(event).rank()))
            .collect();
        let expected = [
            "10 Sent",
            "20 Delayed",
            "30 Delivered",
            "40 RenderingFailed",
            "41 Rejected",
            "50 Bounced(Undetermined)",
            "51 Bounced(Soft)",
            "52 Bounced(Hard)",
            "60 Complained",
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn each_outcome_has_its_status_and_reason() {
        let told: Vec<String> = all()
            .into_iter()
            .map(feedback)
            .map(|feedback| {
                format!(
                    "{} {}",
                    feedback.status,
                    feedback.reason.map_or("-", Into::into)
                )
            })
            .collect();
        let expected = [
            "sent -",
            "sent delivery_delayed",
            "delivered -",
            "failed rendering_failure",
            "failed content_rejected",
            "bounced undetermined_bounce",
            "bounced soft_bounce",
            "bounced hard_bounce",
            "complained -",
        ];
        assert_eq!(told, expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

        #[test]
        fn final_status_is_independent_of_order_and_repetition(
            (events, shuffled) in vec(select(all()), 1..8).prop_flat_map(|events| {
                let repeated = vec(select(events.clone()), 0..8);
                let told = repeated.prop_map({ let events = events.clone(); move |more| [events.clone(), more].concat() });
                (Just(events), told.prop_shuffle())
            })
        ) {
            prop_assert_eq!(end(&events), end(&shuffled));
            let highest = *events.iter().max_by_key(|event| feedback(**event).rank()).unwrap();
            prop_assert_eq!(end(&shuffled), end(&[highest]));
        }
    }
}
