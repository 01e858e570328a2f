//! Feedback: the events that SES publishes for an e-mail after accepting it. They may arrive in any
//! order and more than once.

use jiff::Timestamp;

use crate::notice::{NoticeReason, NoticeStatus};

/// The effect of one SES event on a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// The new status of the notice, unless the notice has feedback of a higher
    /// [rank](Self::rank).
    pub status: NoticeStatus,
    /// The reason for the status.
    pub reason: Option<NoticeReason>,
    /// The message id that SES assigned.
    pub message_id: Option<String>,
    /// When the event happened.
    pub at: Timestamp,
}

/// An event that SES publishes for an e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum MailEvent {
    /// SES accepted the e-mail and will try to deliver it.
    Sent,
    /// The e-mail is not delivered yet. SES keeps trying.
    Delayed,
    /// The recipient's mail server accepted the e-mail.
    Delivered,
    /// SES accepted the e-mail and then could not render it.
    RenderingFailed,
    /// SES accepted the e-mail and then found a virus in it.
    Rejected,
    /// The recipient's mail server rejected the e-mail.
    Bounced(Bounce),
    /// The recipient reported the e-mail as spam.
    Complained,
}

/// Whether a bounce is permanent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, strum::EnumIter)]
pub enum Bounce {
    /// SES cannot tell.
    #[default]
    Undetermined,
    /// Possibly temporary.
    Soft,
    /// Permanent.
    Hard,
}

impl Feedback {
    /// The feedback of an event.
    pub fn new(event: MailEvent, message_id: Option<String>, at: Timestamp) -> Self {
        let (status, reason) = event.status_and_reason();
        Self {
            status,
            reason,
            message_id,
            at,
        }
    }

    /// The precedence of the feedback, at least 1. A notice accepts only feedback of a higher rank
    /// than it has, so its final status does not depend on the order or repetition of events.
    ///
    /// Ranks are stored with notices: do not renumber them. The statuses that the notifier writes
    /// (due, claimed, unknown, failed, skipped) have a lower rank than any feedback, because
    /// feedback proves that SES accepted the e-mail.
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
    fn status_and_reason(self) -> (NoticeStatus, Option<NoticeReason>) {
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

    #[test]
    fn event_ranks_are_distinct_and_ordered() {
        let order: Vec<String> = all_events_by_rank()
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
    fn each_event_maps_to_its_status_and_reason() {
        let actual: Vec<String> = all_events_by_rank()
            .into_iter()
            .map(feedback)
            .map(|feedback| {
                let reason = feedback.reason.map_or("-", Into::into);
                format!("{} {reason}", feedback.status)
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
        assert_eq!(actual, expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(512)
        })]

        #[test]
        fn final_status_is_independent_of_order_and_repetition(
            (events, shuffled) in events_and_shuffled_repetition()
        ) {
            prop_assert_eq!(final_status(&events), final_status(&shuffled));

            let highest = *events.iter().max_by_key(|event| feedback(**event).rank()).unwrap();
            prop_assert_eq!(final_status(&shuffled), final_status(&[highest]));
        }
    }

    /// Some events, and the same events shuffled with some of them repeated.
    fn events_and_shuffled_repetition() -> impl Strategy<Value = (Vec<MailEvent>, Vec<MailEvent>)> {
        vec(select(all_events_by_rank()), 1..8).prop_flat_map(|events| {
            let repeated = vec(select(events.clone()), 0..8);
            let original = events.clone();
            let arrived = repeated
                .prop_map(move |repeated| [original.clone(), repeated].concat())
                .prop_shuffle();
            (Just(events), arrived)
        })
    }

    /// Every event, the lowest rank first.
    fn all_events_by_rank() -> Vec<MailEvent> {
        let bounces = Bounce::iter().map(MailEvent::Bounced);
        let others = MailEvent::iter().filter(|event| !matches!(event, MailEvent::Bounced(_)));
        let mut all: Vec<MailEvent> = others.chain(bounces).collect();
        all.sort_by_key(|event| feedback(*event).rank());
        all
    }

    fn feedback(event: MailEvent) -> Feedback {
        Feedback::new(event, None, Timestamp::UNIX_EPOCH)
    }

    /// The status and reason of a notice after these events, in this order.
    fn final_status(events: &[MailEvent]) -> Option<(NoticeStatus, Option<NoticeReason>)> {
        let mut current: Option<Feedback> = None;
        for feedback in events.iter().map(|event| feedback(*event)) {
            if current
                .as_ref()
                .is_none_or(|current| current.rank() < feedback.rank())
            {
                current = Some(feedback);
            }
        }
        current.map(|current| (current.status, current.reason))
    }
}
